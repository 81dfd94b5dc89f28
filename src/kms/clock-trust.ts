import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { Clock } from './clock.ts'

const hour = 60 * 60 * 1000
const day = 24 * hour

/** By how much the clock may be off what has really passed before we say that somebody set it. */
const tolerance = 60_000

const row = z.object({ last_seen_at: z.number() })

/**
 * Whether the time is right enough for what can't be undone: the deletion of keys. A clock that comes up wrong, or is
 * set wrong, is usually put right soon. So after the start, and after each time that the clock was set, it has to run
 * for an hour; for a day when it is more than a day ahead of when this service last saw it: that is what a wrong date
 * looks like, and also a service that was off for long, which can wait. Waiting is measured by a clock that nobody can
 * set. Amazon, too, takes up to 24 hours more than the waiting period.
 */
export class ClockTrust {
  readonly #database: DatabaseSync
  readonly #clock: Clock
  #anchor: { readonly wall: number; readonly monotonic: number }
  #settlesAt: number

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#anchor = this.#here()
    const seen = this.#lastSeen()
    this.#settlesAt = this.#anchor.monotonic + waitAfter(seen === undefined ? 0 : this.#anchor.wall - seen)
  }

  /** In milliseconds, how long until the time counts as right; 0: it does. To be asked every minute or so. */
  settlesIn(): number {
    const here = this.#here()
    const leap = here.wall - this.#anchor.wall - (here.monotonic - this.#anchor.monotonic)
    if (Math.abs(leap) > tolerance) {
      this.#anchor = here
      this.#settlesAt = Math.max(this.#settlesAt, here.monotonic + waitAfter(leap))
    }
    const left = Math.max(0, this.#settlesAt - here.monotonic)
    if (left === 0) this.#saw(here.wall)
    return left
  }

  #saw(now: number): void {
    const seen = this.#lastSeen()
    if (seen !== undefined && now >= seen && now < seen + hour) return
    this.#database.prepare('INSERT OR REPLACE INTO clock (only, last_seen_at) VALUES (1, ?)').run(now)
  }

  #lastSeen(): number | undefined {
    const found = this.#database.prepare('SELECT last_seen_at FROM clock').get()
    return found === undefined ? undefined : row.parse(found).last_seen_at
  }

  #here(): { wall: number; monotonic: number } {
    return { wall: this.#clock.now().getTime(), monotonic: this.#clock.monotonic() }
  }
}

function waitAfter(leap: number): number {
  return leap > day ? day : hour
}
