import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StrongroomError, systemCode } from '../../errors.ts'

/** Held while a service runs on a directory; the kernel lets go of it when the process ends, however it ends. */
export interface DirectoryLock {
  release(): void
}

/**
 * Node.js has no file locks, SQLite has: an exclusive transaction on an otherwise empty file.
 * Throws `SR_KMS_DIRECTORY_IN_USE` when another process, or another service in this one, holds the lock.
 */
export function lockDirectory(directory: string, lockFile: string): DirectoryLock {
  createIfMissing(lockFile)
  const database = new DatabaseSync(lockFile, { timeout: 0 })
  try {
    // Without a journal in memory there would be a second file while the lock is held.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw new StrongroomError(
      'SR_KMS_DIRECTORY_IN_USE',
      `another KMS service runs on ${directory}: stop it first`,
      {
        cause: error,
      },
    )
  }
  return {
    release() {
      database.close()
    },
  }
}

function createIfMissing(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}
