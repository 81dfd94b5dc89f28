import { setTimeout } from 'node:timers/promises'

/** Lets callers through one by one, so many milliseconds apart, in the order in which they came. */
export class Pacer {
  readonly #interval: number
  #next = -Infinity

  constructor(interval: number) {
    this.#interval = interval
  }

  async turn(): Promise<void> {
    const now = performance.now()
    const at = Math.max(now, this.#next)
    this.#next = at + this.#interval
    if (at > now) await setTimeout(at - now)
  }
}
