import { write } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { systemCode } from '../errors.ts'

/** Bytes that wait to be written; beyond them lines are dropped. */
const longestBacklog = 1024 * 1024

/** Milliseconds. */
const patienceAtEnd = 200
const pauseWhenBusy = 50

export interface DaemonLog {
  readonly log: Logger
  /** Waits a moment until what was logged is written. */
  readonly flush: () => Promise<void>
}

/**
 * Logs to stderr, one JSON object a line. What becomes of the log never decides over the service: a full disk, a reader
 * that stalls or has gone neither ends nor stops it; lines are lost then. (pino's own destination waits at the exit
 * until it could write, for ever where it can't.)
 */
export function openDaemonLog(level: string): DaemonLog {
  const destination = new LossyDestination(2)
  process.stdout.on('error', () => undefined)
  return {
    log: pino({ level, base: null }, destination),
    flush: async () => {
      await Promise.race([destination.written(), setTimeout(patienceAtEnd)])
    },
  }
}

class LossyDestination {
  readonly #fd: number
  #waiting: Buffer[] = []
  #length = 0
  #writing: Promise<void> | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#length + bytes.length > longestBacklog) return
    this.#waiting.push(bytes)
    this.#length += bytes.length
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined))
  }

  async written(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      let batch = Buffer.concat(this.#waiting.splice(0))
      while (batch.length > 0) {
        const written = await this.#writeSome(batch)
        batch = batch.subarray(written)
        this.#length -= written
      }
    }
  }

  /** How many bytes need not be written any more: they are, or they can't be. */
  async #writeSome(batch: Buffer): Promise<number> {
    const { error, written } = await new Promise<{ error: Error | null; written: number }>((resolve) => {
      write(this.#fd, batch, 0, batch.length, null, (error, written) => {
        resolve({ error, written })
      })
    })
    if (error === null) return written
    if (systemCode(error) !== 'EAGAIN') return batch.length
    await setTimeout(pauseWhenBusy)
    return 0
  }
}
