const rememberedAtMost = 1000

/** Says what is due to be said: the same thing only once in an interval (milliseconds). */
export class Sparingly {
  readonly #interval: number
  readonly #saidAt = new Map<string, number>()

  constructor(interval: number) {
    this.#interval = interval
  }

  isDue(what: string): boolean {
    const now = performance.now()
    if (now - (this.#saidAt.get(what) ?? -Infinity) < this.#interval) return false
    if (this.#saidAt.size >= rememberedAtMost) this.#saidAt.clear()
    this.#saidAt.set(what, now)
    return true
  }

  forget(): void {
    this.#saidAt.clear()
  }
}
