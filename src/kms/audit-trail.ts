import { StrongroomError } from '../errors.ts'
import { systemReason } from './system-reason.ts'
import { TrailFile } from './trail-file.ts'

/**
 * The audit trail: one JSON record a line, in a file that is only ever appended to.
 *
 * What is guaranteed: the record of a request whose signature is right is on disk before its answer goes out, and such
 * a request whose record can't be written fails. No key is used for anybody without a record that stays. A change of
 * state (CreateKey, DisableKey …) is durable before its record is; when the trail fails just then, the caller gets an
 * error although the change was made, the record is kept in memory and written first as soon as the trail works again,
 * and until then `requireHealthy` turns every further request away before it does anything. A crash between change and
 * record leaves a change without a record, and without an answer.
 *
 * "On disk" means in the file at the trail's path: when that is moved, removed, cut short or written to by others while
 * the service runs, requests fail until it is put right. To rotate it, stop the service.
 *
 * What is bounded: requests of unknown callers (no signature or a wrong one, no operation, too large) get 10 records a
 * second in the whole service; those above are refused just the same and counted in one record a second,
 * `RefusedRequests`, which is written after their answers: a crash loses at most one second's count. All that such a
 * record takes from a request is cut to some hundred characters, so that strangers can make the trail grow by some
 * 20 KB a second and no more. The only requests without any record are `GET /healthz` and what is not HTTP.
 *
 * Records are written in the order in which they were given, by one writer: a hash chain can be laid over them.
 */
export class AuditTrail {
  readonly #file: TrailFile
  #waiting: Waiting[] = []
  /** Lines that could not be written; their requests have failed. */
  #unwritten: Buffer[] = []
  #flushing: Promise<void> | undefined

  private constructor(file: TrailFile) {
    this.#file = file
  }

  /**
   * Opens the trail, or makes it, mode 0600. A last line that a crash cut short is removed: its request was never
   * answered. `onTorn` is told how many bytes that were.
   */
  static async open(path: string, onTorn: (bytes: number) => void): Promise<AuditTrail> {
    try {
      return new AuditTrail(await TrailFile.open(path, onTorn))
    } catch (error) {
      throw new StrongroomError(
        'SR_KMS_AUDIT_TRAIL',
        `cannot open the audit trail ${path} (${systemReason(error)}): the service's user must be able to write it, ` +
          'and the disk must have space',
        { cause: error },
      )
    }
  }

  /** Resolves when the record is on disk; rejects when it can't be written. Concurrent records share one sync. */
  append(record: Record<string, unknown>): Promise<void> {
    return this.#enqueue(Buffer.from(`${JSON.stringify(record)}\n`, 'utf8'))
  }

  /** Resolves at once while all is well; otherwise tries to write what is owed, and rejects when that fails. */
  async requireHealthy(): Promise<void> {
    this.#file.requireReachable()
    if (this.#unwritten.length > 0) await this.#enqueue(Buffer.alloc(0))
  }

  /** Writes what is owed and closes the file. */
  async close(): Promise<void> {
    try {
      await (this.#flushing ?? Promise.resolve())
      if (this.#unwritten.length > 0) await this.requireHealthy()
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
    await this.#file.append(Buffer.concat([...owed, ...lines]))
    this.#unwritten = this.#unwritten.slice(owed.length)
  }
}

interface Waiting {
  readonly line: Buffer
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}
