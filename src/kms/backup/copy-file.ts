import { chmodSync, constants, copyFileSync } from 'node:fs'
import { StrongroomError } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'

/** Copies a file to a new one that only its owner may read. Throws SR_KMS_BACKUP, also when it is there already. */
export function copyFile(from: string, to: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL)
    chmodSync(to, 0o600)
  } catch (error) {
    throw new StrongroomError('SR_KMS_BACKUP', `cannot copy ${from} to ${to} (${systemReason(error)})`, {
      cause: error,
    })
  }
}
