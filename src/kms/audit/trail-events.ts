import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import type { Account } from '../arn.ts'
import type { Position } from './chain.ts'
import { serviceEventRecord } from './service-event.ts'
import type { Mismatch } from './standing.ts'

/* What the trail says about itself, for those who verify it. */

export const adopted = 'AuditTrailAdopted'
export const removed = 'AuditTrailFilesRemoved'
export const mismatched = 'AuditTrailMismatch'

/** A file whose records the service is about to remove, because of their age. */
export interface RemovedFile {
  readonly name: string
  readonly firstSequence: number
  readonly lastSequence: number
  /** The hash of its last record: the `previous` of the record after it. */
  readonly lastHash: string
}

/** Covers a file with lines from before there was a chain. */
export async function adoptedRecord(path: string, account: Account): Promise<Record<string, unknown>> {
  const details = { name: basename(path), sha256: await sha256Of(path) }
  return serviceEventRecord({ eventName: adopted, account, details })
}

export function removedRecord(files: readonly RemovedFile[], account: Account): Record<string, unknown> {
  return serviceEventRecord({ eventName: removed, account, details: { files } })
}

/** The end of the trail was not what the database says was written. */
export function mismatchRecord({ expected, found }: Mismatch, account: Account): Record<string, unknown> {
  const text = (position: Position | undefined): Position | null => position ?? null
  const details = { expected: text(expected), found: text(found) }
  return serviceEventRecord({ eventName: mismatched, account, details })
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(Buffer.from(chunk))
  return hash.digest('hex')
}
