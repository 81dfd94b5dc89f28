import { SingleFlight } from './serial.ts'

/** Milliseconds, all of them. */
const lookEvery = 1000
const firstRetryAfter = 250

/** A client that asks in a loop must not become a loop of calls to the KMS. */
const restAfterLook = 1000

/** Files that were written over in place leave no mark. */
const lookAnywayAfter = 30_000

export interface UpkeepWork {
  /** Looks after the store; true when all is well. */
  refresh(): Promise<boolean>
  /** As `Store.changeMark`. */
  changeMark(): Promise<string | undefined>
  /** How long to wait between two tries at most, while something is wrong; milliseconds. */
  longestPause(): number
  /** Told before each wait, in milliseconds. */
  onRetry(delay: number): void
}

/**
 * Keeps looking: at once when the store changed under us (rule K9), else again and again with growing pauses as
 * long as something is wrong (rule K4).
 */
export class Upkeep {
  readonly #work: UpkeepWork
  readonly #looks = new SingleFlight<'look', void>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #failures = 0
  // By the monotonic clock: the other may be set back.
  #retryAt = -Infinity
  #lookedAt = -Infinity
  #mark: string | undefined
  #fresh: Promise<void> | undefined

  constructor(work: UpkeepWork) {
    this.#work = work
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.#lookNow()
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** Looks where the store has changed, or where something was wrong and the last look is not only just over. */
  async lookIfNeeded(): Promise<void> {
    if (this.#fresh !== undefined) {
      await this.#fresh
      return
    }
    const hasRested = performance.now() - this.#lookedAt >= restAfterLook
    if (this.#isRetryDue() || (this.#isWaiting && hasRested) || (await this.#hasChanged()))
      await this.#lookNow()
  }

  /**
   * Something else than the store has changed: looks at once, in the middle of a pause too. A look that is under way began
   * too early; whoever asks meanwhile waits for the next.
   */
  async lookAfresh(): Promise<void> {
    const fresh = this.#looks
      .run('look', () => Promise.resolve())
      .then(() => {
        if (this.#fresh === fresh) this.#failures = 0
        return this.#lookNow()
      })
      .finally(() => {
        if (this.#fresh === fresh) this.#fresh = undefined
      })
    this.#fresh = fresh
    await fresh
  }

  /** The store may have changed without a trace that can be relied on: the next look must be a real one. */
  suspectChange(): void {
    this.#mark = undefined
  }

  async #lookNow(): Promise<void> {
    await this.#looks.run('look', async () => {
      const mark = await this.#work.changeMark()
      const well = await this.#work.refresh()
      this.#mark = mark
      this.#lookedAt = performance.now()
      if (well) this.#failures = 0
      else this.#waitForRetry()
    })
  }

  #waitForRetry(): void {
    const delay = Math.min(this.#work.longestPause(), firstRetryAfter * 2 ** this.#failures)
    this.#failures += 1
    this.#retryAt = performance.now() + delay
    this.#work.onRetry(delay)
  }

  get #isWaiting(): boolean {
    return this.#failures > 0
  }

  #isRetryDue(): boolean {
    return this.#isWaiting && performance.now() >= this.#retryAt
  }

  async #hasChanged(): Promise<boolean> {
    return this.#mark === undefined || (await this.#work.changeMark()) !== this.#mark
  }

  #schedule(): void {
    if (this.#stopped) return
    const untilRetry = Math.max(0, this.#retryAt - performance.now())
    const delay = this.#isWaiting ? Math.min(lookEvery, untilRetry) : lookEvery
    this.#timer = setTimeout(() => {
      void this.#lookIfDue().finally(() => {
        this.#schedule()
      })
    }, delay)
  }

  async #lookIfDue(): Promise<void> {
    const isLongAgo = performance.now() - this.#lookedAt >= lookAnywayAfter
    if (this.#isRetryDue() || isLongAgo || (await this.#hasChanged())) await this.#lookNow()
  }
}
