import { PerSecond } from '../per-second.ts'

/** Requests that got no record of their own. */
export interface Unrecorded {
  readonly requests: number
  readonly since: Date
  readonly until: Date
}

/**
 * How many requests of unknown callers get a record of their own in one second, in the whole service. Anybody who
 * reaches the port can send such requests, and each record is a write and a sync: without a bound they would fill the
 * disk, and with it the trail that every other request needs. Those above the bound are counted, and told to `report`
 * once a second.
 */
export class RefusalBudget {
  readonly #report: (unrecorded: Unrecorded) => Promise<void>
  readonly #records: PerSecond
  #requests = 0
  #since = new Date()
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> = Promise.resolve()

  /** `report` must not reject. */
  constructor(report: (unrecorded: Unrecorded) => Promise<void>, perSecond = 10) {
    this.#report = report
    this.#records = new PerSecond(perSecond)
  }

  /** Whether one more request gets its own record; if not, it is counted. */
  take(): boolean {
    if (this.#records.take()) return true
    if (this.#requests++ === 0) this.#since = new Date()
    this.#timer ??= setTimeout(() => {
      this.#tell()
    }, this.#records.remaining())
    return false
  }

  /** Resolves when all that was counted is told. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#tell()
    await this.#telling
  }

  #tell(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#telling = this.#report({ requests: this.#requests, since: this.#since, until: new Date() })
    this.#requests = 0
  }
}
