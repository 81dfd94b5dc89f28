import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { z } from 'zod'
import { messageOf, StrongroomError } from '../errors.ts'
import type { DutyEvent } from './duty-event.ts'
import { type Order, reportSchema, type Task } from './orders.ts'

/** Milliseconds. */
const readyWithin = 30_000
const longestWords = 2000

type Child = ChildProcessByStdio<Writable, Readable, Readable>

export interface WatchdogListener {
  told(event: DutyEvent): void
  /** It has ended, though it was not told to. */
  died(why: string): void
}

/**
 * The watchdog, as the command has it: a process with a session of its own, so that what happens to the terminal or to the
 * command's process group does not happen to it.
 */
export class WatchdogProcess {
  readonly #child: Child
  readonly #listener: WatchdogListener
  #words = ''

  /** Resolves when it is ready. Throws SR_WINDOW_DUTY. `command` runs `runWatchdog`. */
  static async start(
    task: Task,
    [program, ...args]: readonly [string, ...string[]],
    listener: WatchdogListener,
  ): Promise<WatchdogProcess> {
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const watchdog = new WatchdogProcess(child, listener)
    await watchdog.#begin(task)
    return watchdog
  }

  private constructor(child: Child, listener: WatchdogListener) {
    this.#child = child
    this.#listener = listener
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  order(order: Order): void {
    this.#send(order)
  }

  /** It ends when nothing is left to be closed, which may be after us. */
  leave(): void {
    this.#child.removeAllListeners('close')
    this.#child.stdin.end()
    this.#child.unref()
  }

  async #begin(task: Task): Promise<void> {
    const { promise: ready, resolve, reject } = Promise.withResolvers<undefined>()
    const failed = (why: string) => {
      reject(
        new StrongroomError(
          'SR_WINDOW_DUTY',
          `nothing is opened, for the process that would have to close it again did not start: ${why}`,
        ),
      )
    }
    let isReady = false
    this.#child.once('error', (error) => {
      failed(messageOf(error))
    })
    // After its last words: they say what it has done.
    this.#child.once('close', (code, signal) => {
      const why = `it ended with ${signal ?? `exit code ${String(code)}`}${this.#words === '' ? '' : `: ${this.#words.trim()}`}`
      if (isReady) this.#listener.died(why)
      else failed(why)
    })
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      stream.on('error', () => undefined)
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#words = `${this.#words}${text}`.slice(-longestWords)
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const report = reportFrom(line)
      if (report === undefined) return
      if (report.event === 'ready') {
        isReady = true
        resolve(undefined)
      } else this.#listener.told(report)
    })
    this.#send(task)
    const late = setTimeout(readyWithin, undefined, { ref: false }).then(() => {
      if (!isReady) this.#child.kill('SIGKILL')
    })
    await Promise.race([ready, late.then(() => ready)])
  }

  #send(message: Task | Order): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }
}

/** undefined: half a line, as one that is killed may leave it. */
function reportFrom(line: string): z.infer<typeof reportSchema> | undefined {
  try {
    return reportSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
