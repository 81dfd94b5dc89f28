import type { Logger } from 'pino'
import type { Clock } from './clock.ts'

/** Due work is looked for once a minute, whatever the clock says: so it may be set, and the machine may sleep. */
const interval = 60_000

/** Something that the service does by itself when its time has come. */
export interface TimedTask {
  readonly name: string
  /**
   * Whether it waits until the time counts as right (`ClockTrust`): so does what can't be undone. What may be done a
   * little too early or late does not.
   */
  readonly needsTrust: boolean
  /** Does what is due. A failure is logged, and the next minute tries again. */
  readonly run: (now: Date) => void | Promise<void>
  /** Called instead of `run` while the time does not count as right yet. */
  readonly postpone?: (now: Date, settlesInMs: number) => void
}

export interface ScheduleParts {
  readonly clock: Clock
  /** Milliseconds until the time counts as right. */
  readonly settlesIn: () => number
  readonly tasks: readonly TimedTask[]
  readonly log: Logger
}

/** The work that has its time: deletions, rotations, expiries. One task after the other, never one twice at once. */
export class Schedule {
  readonly #parts: ScheduleParts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(parts: ScheduleParts) {
    this.#parts = parts
  }

  /** From now on what is due is done, the first of it at once. */
  start(): void {
    this.#timer = setInterval(() => {
      if (this.#running === undefined) void this.runDue()
    }, interval)
    this.#timer.unref()
    void this.runDue()
  }

  /** Does all that is due now, after what is under way; never rejects. */
  async runDue(): Promise<void> {
    const running = (this.#running ?? Promise.resolve()).then(() => this.#runTasks())
    this.#running = running
    await running
    if (this.#running === running) this.#running = undefined
  }

  /** Resolves when what is under way is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#running
  }

  async #runTasks(): Promise<void> {
    const { clock, settlesIn, tasks, log } = this.#parts
    for (const task of tasks) {
      if (this.#isClosed) return
      try {
        const wait = task.needsTrust ? settlesIn() : 0
        if (wait > 0) task.postpone?.(clock.now(), wait)
        else await task.run(clock.now())
      } catch (error) {
        log.error({ err: error, task: task.name }, 'timed work failed, and is tried again in a minute')
      }
    }
  }
}
