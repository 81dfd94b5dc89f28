import { renameSync } from 'node:fs'
import type { Logger } from 'pino'
import { StrongroomError } from '../../errors.ts'
import type { Account } from '../arn.ts'
import { systemReason } from '../system-reason.ts'
import { beginning, Chain, type ChainKey, linkOf, type Position } from './chain.ts'
import type { Head } from './head.ts'
import { Retention } from './retention.ts'
import { segmentPath } from './segments.ts'
import { firstLine, standingOf } from './standing.ts'
import { adoptedRecord, mismatchRecord } from './trail-events.ts'
import { TrailFile } from './trail-file.ts'

export interface TrailOptions {
  /** The current file; finished ones lie beside it. */
  readonly path: string
  readonly key: ChainKey
  readonly head: Head
  /** Whose the trail's own records are. */
  readonly account: Account
  readonly log: Logger
  /** In bytes: a file that has more is finished, and the next one begun. */
  readonly maxSize: number
  /** A finished file is removed when its last record is older; never, when undefined. */
  readonly keepDays?: number | undefined
}

/** The part of the trail that is on disk. */
export interface Durable {
  /** The number of the first record in the current file. */
  readonly first: number
  /** The bytes of the current file. */
  readonly size: number
  readonly last: Position
}

/** How long a record may be on disk before the head says so, in milliseconds. */
const headDelay = 1000

/**
 * The audit trail: one JSON record a line, in files that are only ever appended to.
 *
 * What is guaranteed: the record of a request whose signature is right is on disk before its answer goes out, and such
 * a request whose record can't be written fails. No key is used for anybody without a record that stays. A change of
 * state (CreateKey, DisableKey …) is durable before its record is; when the trail fails just then, the caller gets an
 * error although the change was made, the record is kept in memory and written first as soon as the trail works again,
 * and until then `requireHealthy` turns every further request away before it does anything. A crash between change and
 * record leaves a change without a record, and without an answer.
 *
 * "On disk" means in the file at the trail's path: when that is moved, removed, cut short or written to by others while
 * the service runs, requests fail until it is put right. The service rotates it by size.
 *
 * What is bounded: requests of unknown callers (no signature or a wrong one, no operation, too large) get 10 records a
 * second in the whole service; those above are refused just the same and counted in one record a second,
 * `RefusedRequests`, which is written after their answers: a crash loses at most one second's count. All that such a
 * record takes from a request is cut to some hundred characters, so that strangers can make the trail grow by some
 * 20 KB a second and no more. The only requests without any record are those for `/healthz` and `/metrics`, and what
 * is not HTTP.
 *
 * What shows: the records are a chain (`Chain`), and the database holds how far it had come (`Head`), so `audit verify`
 * finds what was done to it.
 * - By somebody who can write the files: every record that was changed, removed, moved or put in. What was cut off the
 *   end shows too, but for the records of the last second before a crash or a power failure. Somebody without the
 *   root key can calculate the hashes anew and not the MACs.
 * - By somebody who can write files and database: the same, unless he puts both back as they were at a moment at which
 *   he copied them, and so takes away what came later. Only what was forwarded to another machine shows that.
 * - By somebody who has the root key, or can act as the service: nothing. He can write any trail.
 */
export class AuditTrail {
  readonly #options: TrailOptions
  readonly #chain: Chain
  readonly #retention: Retention
  #file: TrailFile
  /** The number of the first record in the current file. */
  #first: number
  #durable: Position
  #waiting: Waiting[] = []
  /** Lines that could not be written; their requests have failed. */
  #unwritten: Buffer[] = []
  #flushing: Promise<void> | undefined
  #headTimer: NodeJS.Timeout | undefined
  #onDurable: () => void = () => undefined

  private constructor(
    options: TrailOptions,
    file: TrailFile,
    { last, first }: { last: Position; first: number },
  ) {
    this.#options = options
    this.#file = file
    this.#first = first
    this.#durable = last
    this.#chain = new Chain(options.key, last)
    this.#retention = new Retention(options, (record) => this.append(record))
  }

  /**
   * Opens the trail, or makes it, mode 0600. A last line that a crash cut short is removed: its request was never
   * answered. A trail that lacks what the head says was written is gone on with, loudly: the log and a record say so.
   */
  static async open(options: TrailOptions): Promise<AuditTrail> {
    try {
      return await openTrail(options, (file, standing) => new AuditTrail(options, file, standing))
    } catch (error) {
      if (error instanceof StrongroomError) throw error
      throw new StrongroomError(
        'SR_KMS_AUDIT_TRAIL',
        `cannot open the audit trail ${options.path} (${systemReason(error)}): the service's user must be able to ` +
          'write it, and the disk must have space',
        { cause: error },
      )
    }
  }

  /** Resolves when the record is on disk; rejects when it can't be written. Concurrent records share one sync. */
  append(record: Record<string, unknown>): Promise<void> {
    return this.#enqueue(this.#chain.link(JSON.stringify(record)))
  }

  /** Resolves at once while all is well; otherwise tries to write what is owed, and rejects when that fails. */
  async requireHealthy(): Promise<void> {
    this.#file.requireReachable()
    if (this.#unwritten.length > 0) await this.#enqueue(Buffer.alloc(0))
  }

  /** Whether nothing is owed and the file is in its place. */
  healthy(): boolean {
    try {
      this.#file.requireReachable()
    } catch {
      return false
    }
    return this.#unwritten.length === 0
  }

  get durable(): Durable {
    return { first: this.#first, size: this.#file.size, last: this.#durable }
  }

  /** `listener` is called, and must not throw, whenever more is on disk. */
  whenDurable(listener: () => void): void {
    this.#onDurable = listener
  }

  /** No finished file is removed whose records `isDone` does not confirm. */
  removeOnly(isDone: (last: number) => boolean): void {
    this.#retention.removeOnly(isDone)
  }

  /** Begins to remove finished files that are too old, as is done whenever a file is finished. */
  removeOld(): void {
    this.#retention.run()
  }

  /** Writes what is owed and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#retention.settled()
      await (this.#flushing ?? Promise.resolve())
      if (this.#unwritten.length > 0) await this.requireHealthy()
      this.#writeHead(true)
    } finally {
      clearTimeout(this.#headTimer)
      await this.#file.close()
    }
  }

  #enqueue(line: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, position: this.#chain.last, resolve, reject })
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
        this.#durable = batch.at(-1)?.position ?? this.#durable
        for (const { resolve } of batch) resolve()
        this.#headTimer ??= setTimeout(() => {
          this.#writeHeadInTime()
        }, headDelay).unref()
        this.#onDurable()
      } catch (error) {
        this.#unwritten.push(...batch.map(({ line }) => line).filter((line) => line.length > 0))
        for (const { reject } of batch) reject(error)
      }
    }
    this.#flushing = undefined
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    const owed = this.#unwritten
    const all = [...owed, ...lines]
    const bytes = Buffer.concat(all)
    if (this.#file.size > 0 && this.#file.size + bytes.length > this.#options.maxSize) await this.#rotate(all)
    await this.#file.append(bytes)
    this.#unwritten = this.#unwritten.slice(owed.length)
  }

  /** `next`: the lines that the next file begins with. */
  async #rotate(next: readonly Buffer[]): Promise<void> {
    const first = next.find((line) => line.length > 0)
    if (first === undefined) return
    // Then the head is in the file that is current when the trail is opened again, or the last record before it.
    this.#writeHead(true)
    const [finished, fresh] = [this.#file, await this.#file.prepareNext()]
    try {
      finished.giveWay(segmentPath(this.#options.path, this.#first))
    } catch (error) {
      await fresh.close()
      throw error
    }
    // In the same turn, for those who read the trail: the name of the file and the number of its first record go together.
    this.#file = fresh
    this.#first = linkOf(first.subarray(0, -1))?.sequence ?? this.#first
    await finished.close()
    this.#retention.run()
  }

  #writeHeadInTime(): void {
    this.#headTimer = undefined
    try {
      this.#writeHead(false)
    } catch (error) {
      // The trail itself is whole; the head is written again after the next record.
      this.#options.log.error(
        { err: error },
        'cannot write down in the database how far the audit trail has come',
      )
    }
  }

  #writeHead(durably: boolean): void {
    this.#options.head.write(this.#durable, durably)
  }
}

async function openTrail(
  options: TrailOptions,
  make: (file: TrailFile, standing: { last: Position; first: number }) => AuditTrail,
): Promise<AuditTrail> {
  const { path, key, head, account, log } = options
  const file = await openFile(options)
  try {
    const standing = await standingOf(path, key, head.read())
    if (head.read() === 'unset') head.write(beginning, true)
    const trail = make(file, standing)
    if (standing.toAdopt !== undefined) await trail.append(await adoptedRecord(standing.toAdopt, account))
    if (standing.mismatch !== undefined) {
      log.error(
        standing.mismatch,
        'the audit trail is not as this service left it: strongroom kms audit verify tells more',
      )
      await trail.append(mismatchRecord(standing.mismatch, account))
    }
    return trail
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The lines of a release without a chain become a finished file. */
async function openFile({ path, head, log }: TrailOptions): Promise<TrailFile> {
  const onTorn = (bytes: number): void => {
    log.warn({ bytes }, 'removed a torn last line from the audit trail: its request was never answered')
  }
  const file = await TrailFile.open(path, onTorn)
  const first = head.read() === 'unset' ? await firstLine(path) : undefined
  if (first === undefined || linkOf(first) !== undefined) return file
  await file.close()
  renameSync(path, segmentPath(path, 0))
  return TrailFile.open(path, onTorn)
}

interface Waiting {
  readonly line: Buffer
  /** Where the chain stands with this line. */
  readonly position: Position
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}
