import { setTimeout } from 'node:timers/promises'
import { messageOf, StrongroomError } from '../errors.ts'
import { closeForSure, type ClosingTools, requestLives, watchAndForget, watchFromNow } from './closing.ts'
import { requireAlone } from './rivals.ts'
import { Deadline } from './deadline.ts'
import type { DutyRecord } from './duty-record.ts'
import { fateOf } from './fate.ts'
import { type OpeningLimits, requireNotOver } from './opening.ts'

export interface DutyTerms {
  readonly record: DutyRecord
  /** Milliseconds, from the call that opens. */
  readonly lasts: number
  /** Whether to find out first, while it is closed, that it can be closed. */
  readonly proves: boolean
}

/** Milliseconds. */
const firstPause = 500
const longestPause = 5000
/** How long the answer to a call that opens is waited for when the window is over already. */
const graceForAnswer = 2000

/** Opens one thing and closes it again. What is opened is written down before, and forgotten when it is closed for sure. */
export class Duty {
  readonly #terms: DutyTerms
  readonly #tools: ClosingTools
  readonly #deadline = new Deadline()
  readonly #asked = new AbortController()
  readonly #over: AbortSignal
  #record: DutyRecord
  /** Whether a call that opens may have had its effect. */
  #mayBeOpen = false

  constructor(terms: DutyTerms, tools: ClosingTools) {
    this.#terms = terms
    this.#record = terms.record
    this.#tools = tools
    this.#over = AbortSignal.any([this.#deadline.signal, this.#asked.signal])
  }

  /** The window is over: close, in the middle of opening too. */
  end(because: string): void {
    this.#asked.abort(because)
  }

  /** Resolves when nothing is left to be done. */
  async hold(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      if (!this.#mayBeOpen) {
        await this.#giveUp(error)
        return
      }
    }
    await aborted(this.#over)
    this.#deadline.clear()
    this.#tools.tell({ event: 'closing', because: String(this.#over.reason) })
    await closeForSure(this.#record, this.#tools)
    await watchAndForget(this.#record, this.#tools)
  }

  /** Nothing was opened; of an earlier duty that this one took over there may be something to watch. */
  async #giveUp(error: unknown): Promise<void> {
    this.#deadline.clear()
    await watchFromNow(this.#record, this.#tools)
    const code = error instanceof StrongroomError ? error.code : 'SR_AWS_FAILED'
    this.#tools.tell({ event: 'not-opened', code, message: messageOf(error) })
    await watchAndForget(this.#record, this.#tools)
  }

  async #open(): Promise<void> {
    const { opening, files, tell } = this.#tools
    const { lasts, proves } = this.#terms
    await files.write(this.#record)
    // Before it proves: to disable what is disabled changes nothing, but another window may just have enabled it.
    await requireAlone(this.#record, files)
    if (proves) await this.#attempts(() => opening.prove())
    await this.#attempts(async (limits) => {
      if (!this.#mayBeOpen) this.#deadline.set(lasts)
      tell({ event: 'opening' })
      const requestId = await opening.open(limits).catch((error: unknown) => {
        if (fateOf(error) === 'unknown') this.#maySoonBeOpen()
        throw error
      })
      this.#mayBeOpen = true
      this.#record = { ...this.#record, state: 'open', endsAt: this.#deadline.at }
      await files.update(this.#record)
      tell({ event: 'open', at: Date.now(), endsAt: this.#deadline.at, requestId })
    })
  }

  #maySoonBeOpen(): void {
    this.#mayBeOpen = true
    this.#record = { ...this.#record, mayOpenUntil: Date.now() + requestLives }
  }

  /** Until one of them succeeds. Throws what is no use to try again, and when the window is over or would be by now. */
  async #attempts(attempt: (limits: OpeningLimits) => Promise<void>): Promise<void> {
    const end = performance.now() + this.#terms.lasts
    for (let failures = 0; ; failures += 1) {
      requireNotOver(this.#over)
      try {
        await attempt({ over: this.#over, late: this.#lateSignal() })
        return
      } catch (error) {
        if (!this.#mayBeOpen && (fateOf(error) === 'refused' || performance.now() >= end)) throw error
        const pause = Math.min(longestPause, firstPause * 2 ** failures) * (0.75 + Math.random() / 2)
        this.#tools.tell({ event: 'retry', message: messageOf(error), pause })
        await Promise.race([setTimeout(pause), aborted(this.#over)])
      }
    }
  }

  #lateSignal(): AbortSignal {
    const late = new AbortController()
    void aborted(this.#over)
      .then(() => setTimeout(graceForAnswer, undefined, { ref: false }))
      .then(() => {
        late.abort()
      })
    return late.signal
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
  })
}
