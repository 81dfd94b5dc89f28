/** Milliseconds between two looks at the clocks. */
const tick = 200

/**
 * Aborts its signal when the time is over. By two clocks, whichever is first: the monotonic one stands still while a laptop
 * sleeps, the other may be set back.
 */
export class Deadline {
  readonly #reached = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #monotonicEnd = Infinity
  #end = Infinity

  get signal(): AbortSignal {
    return this.#reached.signal
  }

  /** By the time of day; Infinity before it was set. */
  get at(): number {
    return this.#end
  }

  /** In so many milliseconds from now, whatever it was set to before. */
  set(milliseconds: number): void {
    this.#monotonicEnd = performance.now() + milliseconds
    this.#end = Date.now() + milliseconds
    this.#timer ??= setInterval(() => {
      if (performance.now() >= this.#monotonicEnd || Date.now() >= this.#end)
        this.#reached.abort('the time is over')
    }, tick)
  }

  clear(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
