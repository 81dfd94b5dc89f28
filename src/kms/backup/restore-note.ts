import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StrongroomError, systemCode } from '../../errors.ts'
import type { Account } from '../arn.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { serviceEventRecord } from '../audit/service-event.ts'
import { syncDirectory, writeNewSecretFile } from '../durable-file.ts'
import type { Manifest } from './manifest.ts'

const noteName = 'restored.json'
const note = z.object({
  restoredAt: z.iso.datetime(),
  backupMadeAt: z.iso.datetime(),
  auditTrailHead: z.object({ sequence: z.number(), hash: z.string() }),
})

/** Leaves word in a restored directory, for the audit trail. */
export function noteRestore(directory: string, { madeAt, auditTrailHead }: Manifest): void {
  const text = JSON.stringify({ restoredAt: new Date().toISOString(), backupMadeAt: madeAt, auditTrailHead })
  writeNewSecretFile(join(directory, noteName), Buffer.from(text, 'utf8'))
}

/** Records at the first start after a restore that there was one: what was done after the backup is no longer so. */
export async function recordRestore(directory: string, trail: AuditTrail, account: Account): Promise<void> {
  const path = join(directory, noteName)
  if (!existsSync(path)) return
  const { restoredAt, ...details } = readNote(path)
  await trail.append(
    serviceEventRecord({ eventName: 'RestoredFromBackup', account, details, time: new Date(restoredAt) }),
  )
  rmSync(path)
  syncDirectory(directory)
}

function readNote(path: string): z.infer<typeof note> {
  try {
    return note.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_BACKUP',
      `${path} cannot be read (${systemCode(error) ?? 'it is damaged'}): it says when the directory was restored, for the audit ` +
        'trail; note that elsewhere and remove the file',
      { cause: error },
    )
  }
}
