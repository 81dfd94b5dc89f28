/** Lets so many things through in one second, and no more. */
export class PerSecond {
  readonly #limit: number
  #left = 0
  #secondEnds = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether one more may pass. */
  take(): boolean {
    // Not the time of day, which may be set back.
    const now = performance.now()
    if (now >= this.#secondEnds) {
      this.#secondEnds = now + 1000
      this.#left = this.#limit
    }
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  /** Milliseconds until as many may pass again. */
  remaining(): number {
    return Math.max(0, this.#secondEnds - performance.now())
  }
}
