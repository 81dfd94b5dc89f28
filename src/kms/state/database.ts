import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { messageOf, StrongroomError } from '../../errors.ts'
import { inUse } from './directory-lock.ts'
import { applicationId, migrations } from './schema.ts'
import { hasSchemaOf } from './schema-check.ts'
import { isFromSqlite, isSqliteError } from './sqlite-error.ts'

/** Makes a new database, mode 0600; `fill` writes what it starts with, in the same transaction as the schema. */
export function createDatabase(path: string, fill: (database: DatabaseSync) => void): DatabaseSync {
  // SQLite would make the file as the umask says; it gives the journal files the database's own mode.
  closeSync(openSync(path, 'wx', 0o600))
  const database = openAlone(path)
  makeDurable(database)
  inTransaction(database, () => {
    database.exec(`PRAGMA application_id = ${applicationId}`)
    migrate(database, 0)
    fill(database)
  })
  return database
}

/** Opens a database of this service and checks that it is whole; `bringToNewestSchema` comes next. */
export function openDatabase(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new StrongroomError(
      'SR_KMS_DATABASE_MISSING',
      `${path} is missing, but its directory was in use: bring the database back from a backup, ` +
        'or start with another directory',
    )
  }
  const database = openAlone(path)
  try {
    checkThatItIsOurs(database, path)
    checkThatItIsWhole(database, path)
    makeDurable(database)
    return database
  } catch (error) {
    database.close()
    throw whatIsWrong(path, error)
  }
}

/** `complete` does what SQL alone can't, in the same transaction; it is told the version that the database had. */
export function bringToNewestSchema(
  database: DatabaseSync,
  complete: (from: number) => void = () => undefined,
): void {
  const version = pragma(database, 'user_version')
  if (version === migrations.length) return
  inTransaction(database, () => {
    migrate(database, version)
    complete(version)
  })
}

/** Runs `work` in one transaction, durable when this returns; nothing of it stays when it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite may have rolled back by itself, as when the disk is full; what went wrong first is what to tell.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/**
 * From its first use to its end the database is this process's alone, by SQLite's own lock: everything here trusts that
 * what it holds in memory is what is stored. The write-ahead log has its index in memory then, without a `-shm` file.
 */
function openAlone(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: 0 })
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    return database
  } catch (error) {
    throw whatIsWrong(path, error)
  }
}

function makeDurable(database: DatabaseSync): void {
  // What is deleted is overwritten with zeros: a sealed key is not to be found in free pages by who gets the root key.
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON',
  )
}

function migrate(database: DatabaseSync, version: number): void {
  for (const migration of migrations.slice(version)) database.exec(migration)
  database.exec(`PRAGMA user_version = ${migrations.length}`)
}

function checkThatItIsOurs(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) {
    throw new StrongroomError(
      'SR_KMS_DATABASE_FOREIGN',
      `${path} is not the database of a Strongroom KMS service: bring the right file back from a backup`,
    )
  }
  if (pragma(database, 'user_version') > migrations.length) {
    throw new StrongroomError(
      'SR_KMS_DATABASE_NEWER',
      `${path} was written by a newer release of Strongroom: start that release`,
    )
  }
}

function checkThatItIsWhole(database: DatabaseSync, path: string): void {
  const row = z.object({ quick_check: z.string() }).parse(database.prepare('PRAGMA quick_check(1)').get())
  if (row.quick_check !== 'ok') throw damaged(path, row.quick_check)
  if (!hasSchemaOf(database, pragma(database, 'user_version'))) {
    throw damaged(path, 'its tables are not those that this service made')
  }
}

function whatIsWrong(path: string, error: unknown): unknown {
  if (error instanceof StrongroomError) return error
  if (isSqliteError(error, 'busy')) return inUse(dirname(path), error)
  if (isFromSqlite(error) && !isSqliteError(error, 'corrupt') && !isSqliteError(error, 'notADatabase')) {
    return new StrongroomError(
      'SR_KMS_DIRECTORY',
      `cannot open ${path} (${messageOf(error)}): the service's user must be able to read and write it, ` +
        'and the disk must have space',
      { cause: error },
    )
  }
  return damaged(path, messageOf(error))
}

function damaged(path: string, finding: string): StrongroomError {
  return new StrongroomError(
    'SR_KMS_DATABASE_DAMAGED',
    `${path} is damaged or is no SQLite database (${finding}): bring it back from a backup`,
  )
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return z.record(z.string(), z.number()).parse(database.prepare(`PRAGMA ${name}`).get())[name] ?? 0
}
