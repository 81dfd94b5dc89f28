import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StrongroomError, systemCode } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'
import { isSqliteError } from './sqlite-error.ts'

/** Held while a service runs on a directory; the kernel lets go of it when the process ends, however it ends. */
export interface DirectoryLock {
  release(): void
}

/**
 * Node.js has no file locks, SQLite has: an exclusive transaction on an otherwise empty file. It guards the making of a
 * directory, when there is no database yet; a database is locked itself while it is open, so that it has one service
 * even when somebody removes the lock file.
 * Throws `SR_KMS_DIRECTORY_IN_USE` when another process, or another service in this one, holds the lock.
 */
export function lockDirectory(directory: string, lockFile: string): DirectoryLock {
  const database = openLockFile(lockFile)
  try {
    // Without a journal in memory there would be a second file while the lock is held.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw isSqliteError(error, 'busy') ? inUse(directory, error) : cannotLock(lockFile, error)
  }
  return {
    release() {
      database.close()
    },
  }
}

export function inUse(directory: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_KMS_DIRECTORY_IN_USE',
    `another KMS service runs on ${directory}: stop it first`,
    { cause },
  )
}

function openLockFile(path: string): DatabaseSync {
  try {
    createIfMissing(path)
    return new DatabaseSync(path, { timeout: 0 })
  } catch (error) {
    throw cannotLock(path, error)
  }
}

function createIfMissing(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function cannotLock(path: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_KMS_DIRECTORY',
    `cannot lock ${path} (${systemReason(cause)}): the service's user must be able to write it and its directory`,
    { cause },
  )
}
