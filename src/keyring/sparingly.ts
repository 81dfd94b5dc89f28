/** Different things in one interval: who asks for what there is not, again and again, must not fill a disk. */
const saidAtMost = 1000

/** Says what is due to be said: the same thing only once in an interval (milliseconds), and not too many things. */
export class Sparingly {
  readonly #interval: number
  readonly #whenFull: () => void
  readonly #now: () => number
  /** What was said longest ago comes first. */
  readonly #saidAt = new Map<string, number>()
  #fullAt = -Infinity

  /** `whenFull` is called once in an interval in which more was to be said. `now` never goes back. */
  constructor(
    interval: number,
    whenFull: () => void = () => undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#interval = interval
    this.#whenFull = whenFull
    this.#now = now
  }

  isDue(what: string): boolean {
    if (this.#isRecent(this.#saidAt.get(what))) return false
    this.#saidAt.delete(what)
    if (!this.#hasRoom()) return false
    this.#saidAt.set(what, this.#now())
    return true
  }

  forget(): void {
    this.#saidAt.clear()
    this.#fullAt = -Infinity
  }

  #hasRoom(): boolean {
    if (this.#saidAt.size < saidAtMost) return true
    const [[what, at] = ['', undefined]] = this.#saidAt
    if (!this.#isRecent(at)) return this.#saidAt.delete(what)
    if (!this.#isRecent(this.#fullAt)) {
      this.#fullAt = this.#now()
      this.#whenFull()
    }
    return false
  }

  #isRecent(at: number | undefined): boolean {
    return at !== undefined && this.#now() - at < this.#interval
  }
}
