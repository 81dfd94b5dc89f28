import { open, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Account } from '../arn.ts'
import { linkOf } from './chain.ts'
import { linesBackwards } from './lines.ts'
import { finishedSegments } from './segments.ts'
import { type RemovedFile, removedRecord } from './trail-events.ts'

const dayInMilliseconds = 86_400_000
const timed = z.looseObject({ eventTime: z.iso.datetime() })

interface RetentionOptions {
  readonly path: string
  readonly account: Account
  readonly log: Logger
  readonly keepDays?: number | undefined
}

/**
 * Removes finished files whose last record is older than it has to be, the oldest first, after a record that names
 * them is on disk. A crash in between leaves a file that is removed, and recorded, the next time.
 */
export class Retention {
  readonly #options: RetentionOptions
  readonly #append: (record: Record<string, unknown>) => Promise<void>
  #isDone: (last: number) => boolean = () => true
  #running = Promise.resolve()

  constructor(options: RetentionOptions, append: (record: Record<string, unknown>) => Promise<void>) {
    this.#options = options
    this.#append = append
  }

  removeOnly(isDone: (last: number) => boolean): void {
    this.#isDone = isDone
  }

  /** Returns at once; what fails is logged, and tried again the next time. */
  run(): void {
    const { keepDays, log } = this.#options
    if (keepDays === undefined) return
    this.#running = this.#running
      .then(() => this.#remove(new Date(Date.now() - keepDays * dayInMilliseconds)))
      .catch((error: unknown) => {
        log.error({ err: error }, 'cannot remove old files of the audit trail')
      })
  }

  /** Resolves when what `run` began is done. */
  settled(): Promise<void> {
    return this.#running
  }

  async #remove(before: Date): Promise<void> {
    const { path, account, log } = this.#options
    const files: RemovedFile[] = []
    const paths: string[] = []
    for (const segment of finishedSegments(path)) {
      const end = await endOf(segment.path)
      if (end === undefined || end.time >= before || !this.#isDone(end.sequence)) break
      paths.push(segment.path)
      files.push({
        name: basename(segment.path),
        firstSequence: segment.first,
        lastSequence: end.sequence,
        lastHash: end.hash,
      })
    }
    if (files.length === 0) return
    await this.#append(removedRecord(files, account))
    for (const one of paths) await rm(one)
    log.info({ files: files.map(({ name }) => name) }, 'removed old files of the audit trail')
  }
}

/** Undefined for a file that does not end in a record: it is not removed. */
async function endOf(path: string): Promise<{ time: Date; sequence: number; hash: string } | undefined> {
  const file = await open(path, 'r')
  try {
    for await (const [line] of linesBackwards(file, (await file.stat()).size)) {
      if (line === undefined) continue
      const record = timed.safeParse(JSON.parse(line.bytes.toString()))
      if (!record.success) return undefined
      const { sequence, hash } = linkOf(line.bytes) ?? { sequence: 0, hash: '' }
      return { time: new Date(record.data.eventTime), sequence, hash }
    }
    return undefined
  } finally {
    await file.close()
  }
}
