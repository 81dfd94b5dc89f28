import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { syncDirectory } from './durable-file.ts'

/**
 * The audit trail: one JSON record a line, in a file that is only ever appended to.
 *
 * What is guaranteed: a request's record is on disk before its answer goes out, and a request whose record can't be
 * written fails. No key is used for anybody without a record that stays. A change of state (CreateKey, DisableKey …)
 * is durable before its record is; when the trail fails just then, the caller gets an error although the change was
 * made, the record is kept in memory and written first as soon as the trail works again, and until then `requireHealthy`
 * turns every further request away before it does anything. A crash between change and record leaves a change without
 * a record, and without an answer.
 *
 * Records are written in the order in which they were given, by one writer: a hash chain can be laid over them.
 */
export class AuditTrail {
  readonly #file: FileHandle
  /** Bytes that are known to be on disk; what lies behind them is a torn write. */
  #durableSize: number
  #waiting: Waiting[] = []
  /** Lines that could not be written; their requests have failed. */
  #unwritten: Buffer[] = []
  #flushing: Promise<void> | undefined

  private constructor(file: FileHandle, size: number) {
    this.#file = file
    this.#durableSize = size
  }

  /**
   * Opens the trail, or makes it, mode 0600. A last line that a crash cut short is removed: its request was never
   * answered. `onTorn` is told how many bytes that were.
   */
  static async open(path: string, onTorn: (bytes: number) => void): Promise<AuditTrail> {
    try {
      const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
      syncDirectory(dirname(path))
      const { size } = await file.stat()
      const whole = await sizeOfWholeLines(file, size)
      if (whole < size) {
        await file.truncate(whole)
        await file.datasync()
        onTorn(size - whole)
      }
      return new AuditTrail(file, whole)
    } catch (error) {
      throw new StrongroomError('SR_KMS_AUDIT_TRAIL', `cannot open the audit trail ${path}`, { cause: error })
    }
  }

  /** Resolves when the record is on disk; rejects when it can't be written. Concurrent records share one sync. */
  append(record: Record<string, unknown>): Promise<void> {
    return this.#enqueue(Buffer.from(`${JSON.stringify(record)}\n`, 'utf8'))
  }

  /** Resolves at once while all is well; otherwise tries to write what is owed, and rejects when that fails. */
  async requireHealthy(): Promise<void> {
    if (this.#unwritten.length > 0) await this.#enqueue(Buffer.alloc(0))
  }

  /** Writes what is owed and closes the file. */
  async close(): Promise<void> {
    try {
      await (this.#flushing ?? Promise.resolve())
      await this.requireHealthy()
    } finally {
      await this.#file.close()
    }
  }

  #enqueue(line: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** Takes turns: what arrives during one sync goes with the next. Never rejects. */
  async #flush(): Promise<void> {
    // Requests that are answered in the same turn of the event loop share the first sync too.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#write(batch.map(({ line }) => line))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        this.#unwritten.push(...batch.map(({ line }) => line).filter((line) => line.length > 0))
        for (const { reject } of batch) reject(error)
      }
    }
    this.#flushing = undefined
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    const owed = this.#unwritten
    const bytes = Buffer.concat([...owed, ...lines])
    // Always from the end of what is durable: a torn write is written over, never left between two records.
    let written = 0
    while (written < bytes.length) {
      const step = await this.#file.write(bytes, written, bytes.length - written, this.#durableSize + written)
      written += step.bytesWritten
    }
    await this.#file.datasync()
    this.#durableSize += bytes.length
    this.#unwritten = this.#unwritten.slice(owed.length)
  }
}

interface Waiting {
  readonly line: Buffer
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** The offset after the last line end; reads backwards, since a trail may be large. */
async function sizeOfWholeLines(file: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(65_536)
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - block.length)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    const lineEnd = block.subarray(0, bytesRead).lastIndexOf(0x0a)
    if (lineEnd >= 0) return start + lineEnd + 1
    end = start
  }
  return 0
}
