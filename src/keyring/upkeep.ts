const lookEvery = 1000
const firstRetryAfter = 250
const retryAtMostAfter = 15_000

/** A client that asks in a loop must not become a loop of calls to the KMS. */
const restAfterLook = 200

export interface UpkeepWork {
  /** Looks after the store; true when all is well. */
  refresh(): Promise<boolean>
  /** As `Store.changeMark`. */
  changeMark(): Promise<string | undefined>
  /** Told before each wait, in milliseconds. */
  onRetry(delay: number): void
}

/**
 * Keeps looking: at once when the store changed under us (rule K9), else again and again with growing pauses as
 * long as something is wrong (rule K4).
 */
export class Upkeep {
  readonly #work: UpkeepWork
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #failures = 0
  #retryAt = 0
  #lookedAt = 0
  #mark: string | undefined

  constructor(work: UpkeepWork) {
    this.#work = work
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.lookNow()
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  get isWaiting(): boolean {
    return this.#failures > 0
  }

  /** Looks unless all was well at the last look and nothing has changed since, or that was only just now. */
  async lookIfNeeded(): Promise<void> {
    if (Date.now() - this.#lookedAt < restAfterLook) return
    if (this.isWaiting || (await this.#work.changeMark()) !== this.#mark) await this.lookNow()
  }

  /** The store may have changed without a trace that can be relied on: the next look must be a real one. */
  suspectChange(): void {
    this.#mark = undefined
    this.#lookedAt = 0
  }

  async lookNow(): Promise<void> {
    const mark = await this.#work.changeMark()
    const well = await this.#work.refresh()
    this.#mark = mark
    this.#lookedAt = Date.now()
    if (well) {
      this.#failures = 0
      return
    }
    const delay = Math.min(retryAtMostAfter, firstRetryAfter * 2 ** this.#failures)
    this.#failures += 1
    this.#retryAt = Date.now() + delay
    this.#work.onRetry(delay)
  }

  #schedule(): void {
    if (this.#stopped) return
    const delay = this.isWaiting ? Math.min(lookEvery, Math.max(0, this.#retryAt - Date.now())) : lookEvery
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => {
        this.#schedule()
      })
    }, delay)
  }

  async #look(): Promise<void> {
    const retryDue = this.isWaiting && Date.now() >= this.#retryAt
    if (retryDue || (await this.#work.changeMark()) !== this.#mark) await this.lookNow()
  }
}
