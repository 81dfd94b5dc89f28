import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { Duty } from './duty.ts'
import type { DutyEvent, OwnDutyEvent } from './duty-event.ts'
import { DutyFiles } from './duty-files.ts'
import { recordOf } from './duty-record.ts'
import { openingOf } from './opening-of.ts'
import { type OpenOrder, orderSchema, type Task, taskSchema } from './orders.ts'
import { Reach } from './reach.ts'
import { describeTarget } from './target.ts'

/** All that could end it but SIGKILL, which nobody can do anything about. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const

/** Milliseconds. */
const betweenComplaints = 60_000

export interface WatchdogTools {
  /** Its other end is held by the command alone: the end of the one is the end of the other. */
  readonly input: Readable
  readonly output: Writable
  /** Tells whoever reads the system's log what nobody may be there to read otherwise. */
  tellSystem(message: string): void
}

/**
 * Opens and closes what a command orders; closes everything when the command has gone, and when it is told to end. Resolves
 * when nothing is left to be closed.
 */
export async function runWatchdog(tools: WatchdogTools): Promise<void> {
  const lines = createInterface({ input: tools.input, crlfDelay: Infinity })
  let watchdog: Watchdog | undefined
  const ending = Promise.withResolvers<undefined>()
  for (const signal of signals) {
    process.on(signal, () => {
      watchdog?.endAll(`the watchdog got ${signal}`)
      ending.resolve(undefined)
    })
  }
  // Whatever it was, the duties are still there.
  process.on('uncaughtException', (error) => {
    tools.tellSystem(`this should not have happened: ${error.stack ?? error.message}`)
    watchdog?.endAll('the watchdog is in trouble')
  })
  tools.input.on('error', () => undefined)
  tools.output.on('error', () => undefined)
  lines.on('line', (line) => {
    const message = parseLine(line)
    if (watchdog !== undefined) watchdog.obey(message)
    else if (taskSchema.safeParse(message).success) watchdog = new Watchdog(taskSchema.parse(message), tools)
  })
  lines.once('close', () => {
    watchdog?.endAll('the command has ended')
    ending.resolve(undefined)
  })
  await ending.promise
  await watchdog?.settled()
}

class Watchdog {
  readonly #task: Task
  readonly #reach: Reach
  readonly #files: DutyFiles
  readonly #tools: WatchdogTools
  readonly #duties = new Map<string, Duty>()
  readonly #held = new Set<Promise<void>>()
  readonly #toldAt = new Map<string, number>()
  #isEnding = false

  constructor(task: Task, tools: WatchdogTools) {
    this.#task = task
    this.#tools = tools
    this.#reach = new Reach(task.place, task.credentials)
    this.#files = new DutyFiles(task.stateDirectory)
    this.#report({ event: 'ready' })
  }

  /** What is no order is none: a command that was killed may have left half of one. */
  obey(message: unknown): void {
    const { data: order } = orderSchema.safeParse(message)
    if (order?.order === 'close') this.#duties.get(order.id)?.end(order.because)
    else if (order !== undefined && !this.#isEnding) this.#take(order)
  }

  endAll(because: string): void {
    this.#isEnding = true
    for (const duty of this.#duties.values()) duty.end(because)
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#held)
    this.#reach.close()
  }

  #take(order: OpenOrder): void {
    const { id, target, lasts, proves } = order
    const what = describeTarget(target)
    const duty = new Duty(
      { record: recordOf(order, this.#task.place), lasts, proves },
      {
        opening: openingOf(target, this.#reach),
        files: this.#files,
        tell: (event) => {
          this.#report({ ...event, id })
          this.#tellSystem(what, event)
        },
      },
    )
    this.#duties.set(id, duty)
    const held = duty.hold().finally(() => this.#held.delete(held))
    this.#held.add(held)
  }

  /** Failures once in a while; all else where the command isn't there any more to tell it. */
  #tellSystem(what: string, event: OwnDutyEvent): void {
    if (event.event === 'not-closed') {
      const now = performance.now()
      if (now - (this.#toldAt.get(what) ?? -Infinity) < betweenComplaints) return
      this.#toldAt.set(what, now)
      this.#tools.tellSystem(`${what} can't be closed yet, it is tried again: ${event.message}`)
    } else if (event.event === 'closed' && this.#isEnding) this.#tools.tellSystem(`${what} is closed again`)
    else if (event.event === 'closing' && this.#isEnding)
      this.#tools.tellSystem(`${what} is being closed: ${event.because}`)
  }

  #report(event: DutyEvent | { readonly event: 'ready' }): void {
    this.#tools.output.write(`${JSON.stringify(event)}\n`)
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
