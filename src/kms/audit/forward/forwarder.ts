import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../errors.ts'
import type { AuditTrail } from '../audit-trail.ts'
import type { Cursor } from './cursor.ts'
import type { Destination } from './destination.ts'
import { type Batch, TrailReader } from './trail-reader.ts'

/** In milliseconds. */
const waits = { first: 500, longest: 30_000, cursor: 1000 }

/**
 * Sends every record to another place once it is on disk, in order, each at least once: a record may come twice when
 * the service or the receiver was stopped at the wrong moment. Requests never wait for it. What waits to be sent is the
 * trail itself, so it outlives a crash and takes no memory; files are not removed before they were sent.
 */
export class Forwarder {
  readonly #trail: AuditTrail
  readonly #path: string
  readonly #cursor: Cursor
  readonly #destination: Destination
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #arrived: number
  #cursorDue = 0
  #isFailing = false
  #wake: () => void = () => undefined

  constructor(
    trail: AuditTrail,
    path: string,
    { cursor, destination, log }: { cursor: Cursor; destination: Destination; log: Logger },
  ) {
    this.#trail = trail
    this.#path = path
    this.#cursor = cursor
    this.#destination = destination
    this.#log = log
    this.#arrived = cursor.saved
    trail.whenDurable(() => {
      this.#wake()
    })
    trail.removeOnly((last) => last <= cursor.saved)
    this.#running = this.#run()
  }

  /** The number of records that are on disk and have not arrived. */
  backlog(): number {
    return Math.max(0, this.#trail.durable.last.sequence - this.#arrived)
  }

  /** Stops sending; what has not arrived is sent after the next start. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
    this.#destination.close()
    await this.#cursor.save(this.#arrived)
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    let wait = waits.first
    while (this.#goesOn()) {
      // After a failure it begins again behind the last record that has arrived.
      const reader = new TrailReader(this.#path, () => this.#trail.durable, this.#arrived)
      try {
        while (this.#goesOn()) {
          await this.#forward(await reader.next(this.#destination.largestBatch))
          wait = waits.first
        }
      } catch (error) {
        if (!this.#goesOn()) break
        this.#tellFailure(error)
        await this.#pause(wait)
        wait = Math.min(waits.longest, wait * 2)
      } finally {
        await reader.close()
      }
    }
  }

  #goesOn(): boolean {
    return !this.#stop.signal.aborted
  }

  async #forward({ lines, last }: Batch): Promise<void> {
    if (lines.length > 0) {
      await this.#destination.send(lines, this.#stop.signal)
      this.#tellSuccess()
    }
    this.#arrived = last
    if (performance.now() >= this.#cursorDue) {
      await this.#cursor.save(this.#arrived)
      this.#cursorDue = performance.now() + waits.cursor
    }
    if (lines.length === 0) await this.#more()
  }

  /** Resolves when there are further records, the cursor is to be saved, or nothing is to be sent any more. */
  async #more(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.backlog() > 0 || this.#stop.signal.aborted) return
    const isSaved = this.#arrived === this.#cursor.saved
    const due = Math.max(0, this.#cursorDue - performance.now())
    const timer = isSaved ? undefined : setTimeout(this.#wake, due)
    await woken
    clearTimeout(timer)
  }

  async #pause(milliseconds: number): Promise<void> {
    // Not all services that a restarted receiver serves come at once.
    const spread = milliseconds * (0.75 + Math.random() / 2)
    await sleep(spread, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  #tellFailure(error: unknown): void {
    const fields = { destination: this.#destination.name, reason: messageOf(error), backlog: this.backlog() }
    if (!this.#isFailing) this.#log.warn(fields, 'cannot forward the audit trail: what waits stays on disk')
    else this.#log.debug(fields, 'still cannot forward the audit trail')
    this.#isFailing = true
  }

  #tellSuccess(): void {
    if (this.#isFailing) {
      this.#log.info({ destination: this.#destination.name }, 'the audit trail is forwarded again')
    }
    this.#isFailing = false
  }
}
