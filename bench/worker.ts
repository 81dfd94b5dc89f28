import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { z } from 'zod'
import type { Workplace } from './workplace.ts'

/** A program of `workers/` in a process of its own; it answers each message with one message. */
export class Worker {
  readonly pid: number
  readonly #child: ChildProcess

  static async start(place: Workplace, program: string): Promise<Worker> {
    const child = fork(join(import.meta.dirname, 'workers', program), { stdio: ['ignore', 2, 2, 'ipc'] })
    const worker = new Worker(child)
    place.atEnd(() => worker.stop())
    await once(child, 'spawn')
    return worker
  }

  private constructor(child: ChildProcess) {
    if (child.pid === undefined) throw new Error('a worker has not started')
    this.pid = child.pid
    this.#child = child
  }

  async ask<T>(question: object, answer: z.ZodType<T>): Promise<T> {
    const ended = new AbortController()
    const message = Promise.race([
      once(this.#child, 'message', { signal: ended.signal }),
      once(this.#child, 'exit', { signal: ended.signal }).then(() => {
        throw new Error('a worker has ended without an answer; what it says is above')
      }),
    ])
    this.#child.send(question)
    try {
      const values: unknown[] = await message
      return answer.parse(values[0])
    } finally {
      ended.abort()
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
