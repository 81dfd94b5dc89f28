import type { DutyEvent } from './duty-event.ts'

export type Opened = Extract<DutyEvent, { event: 'open' }>
export type NotOpened = Extract<DutyEvent, { event: 'not-opened' }>
export type Closed = Extract<DutyEvent, { event: 'closed' }>

export interface HeldBy {
  readonly id: string
  readonly close: (because: string) => void
  readonly tell: (event: DutyEvent) => void
}

/** One thing that the watchdog opens and closes, as the command has it. */
export class Held {
  readonly id: string
  readonly #opened = Promise.withResolvers<Opened | NotOpened>()
  readonly #closed = Promise.withResolvers<Closed | undefined>()
  readonly #over = new AbortController()
  readonly #close: (because: string) => void
  readonly #tell: (event: DutyEvent) => void
  #isSettled = false
  #callsSent = 0
  #isOpened = false

  constructor({ id, close, tell }: HeldBy) {
    this.id = id
    this.#close = close
    this.#tell = tell
  }

  /** Of something that was ended before it was open it may be that it never comes: see `closed`. */
  get opened(): Promise<Opened | NotOpened> {
    return this.#opened.promise
  }

  /** undefined: it was never open. */
  get closed(): Promise<Closed | undefined> {
    return this.#closed.promise
  }

  /** Aborted when it is about to be closed, at whoever's wish. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** As its record would say by what was heard; undefined: nothing was sent that could have opened it. */
  get lastHeard(): 'opening' | 'open' | undefined {
    if (this.#callsSent === 0) return undefined
    return this.#isOpened && this.#callsSent === 1 ? 'open' : 'opening'
  }

  close(because: string): void {
    this.#close(because)
  }

  take(event: DutyEvent): void {
    this.#tell(event)
    if (event.event === 'opening') this.#callsSent += 1
    if (event.event === 'open') {
      this.#isOpened = true
      this.#opened.resolve(event)
    }
    if (event.event === 'not-opened') {
      this.#isSettled = true
      this.#over.abort(event.message)
      this.#opened.resolve(event)
      this.#closed.resolve(undefined)
    }
    if (event.event === 'closing') this.#over.abort(event.because)
    if (event.event === 'closed') {
      this.#isSettled = true
      this.#over.abort('it is closed')
      this.#closed.resolve(event)
    }
  }
}
