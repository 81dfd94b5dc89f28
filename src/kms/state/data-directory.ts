import { existsSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { StrongroomError } from '../../errors.ts'
import type { Account } from '../arn.ts'
import { makeDirectoryDurably, syncDirectory, writeNewSecretFile } from '../durable-file.ts'
import { fileSeal } from '../seal/file.ts'
import { RootKey } from '../seal/root-key.ts'
import { systemReason } from '../system-reason.ts'
import { AccessKeys } from './access-keys.ts'
import { createDatabase, openDatabase } from './database.ts'
import { lockDirectory } from './directory-lock.ts'
import { checkRootKey, readAccount, writeServiceRow } from './service-row.ts'

/** What lies in the data directory, by path. */
export interface DataFiles {
  readonly directory: string
  readonly lock: string
  readonly database: string
  readonly rootKey: string
  readonly rootAccessKey: string
  readonly auditTrail: string
  /** There while the directory is being made. */
  readonly creating: string
}

/** A data directory that is open, and this process's alone. */
export interface DataDirectory {
  readonly files: DataFiles
  readonly database: DatabaseSync
  readonly rootKey: RootKey
  readonly account: Account
  /** Whether it was made just now. */
  readonly created: boolean
  close(): void
}

export interface WantedAccount {
  readonly accountId?: string | undefined
  readonly region?: string | undefined
}

/**
 * Opens the data directory, or makes it when there is none, or an empty one, or one that an interrupted start left
 * half made (it then holds the file `creating`, and no key was ever given out from it). Everything else that is not
 * whole is refused with a StrongroomError: existing data never becomes an empty service.
 */
export function openDataDirectory(path: string, wanted: WantedAccount): DataDirectory {
  const files = dataFiles(resolve(path))
  makeDirectory(files)
  refuseForeignDirectory(files)
  const lock = lockDirectory(files.directory, files.lock)
  try {
    const created = needsMaking(files)
    if (created) makeContents(files, wanted)
    const opened = openContents(files, wanted)
    return {
      ...opened,
      files,
      created,
      close() {
        opened.database.close()
        opened.rootKey.zero()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

export function dataFiles(directory: string): DataFiles {
  return {
    directory,
    lock: join(directory, 'lock'),
    database: join(directory, 'kms.db'),
    rootKey: join(directory, 'root-key'),
    rootAccessKey: join(directory, 'root-access-key'),
    auditTrail: join(directory, 'audit-trail.jsonl'),
    creating: join(directory, 'creating'),
  }
}

function makeDirectory(files: DataFiles): void {
  try {
    makeDirectoryDurably(files.directory)
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_DIRECTORY',
      `cannot make the data directory ${files.directory} (${systemReason(error)}): make it yourself, mode 0700, ` +
        "as the service's user",
      { cause: error },
    )
  }
  if ((statSync(files.directory).mode & 0o077) !== 0) {
    throw new StrongroomError(
      'SR_KMS_DIRECTORY',
      `${files.directory} is open to other users of this machine: chmod 700 ${files.directory}`,
    )
  }
}

/** Before anything is written: a mistyped `--data /home` must not get a lock file. */
function refuseForeignDirectory(files: DataFiles): void {
  const names = namesIn(files.directory)
  const ours = [files.lock, files.database, files.rootKey, files.creating]
  if (names.length > 0 && !ours.some(existsSync)) {
    throw new StrongroomError(
      'SR_KMS_DIRECTORY_FOREIGN',
      `${files.directory} is neither empty nor the data directory of a KMS service: name another one`,
    )
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_DIRECTORY',
      `cannot read the data directory ${directory} (${systemReason(error)}): it must belong to the service's user`,
      { cause: error },
    )
  }
}

function needsMaking(files: DataFiles): boolean {
  const halfMade = existsSync(files.creating)
  // The trail is first opened after the directory is whole, so with a trail there may be keys that someone relies on.
  if (halfMade && existsSync(files.auditTrail)) {
    throw new StrongroomError(
      'SR_KMS_DIRECTORY',
      `${files.creating} says that the directory is half made, yet there is an audit trail: if the other files ` +
        `are whole, remove ${files.creating}`,
    )
  }
  return halfMade || readdirSync(files.directory).every((name) => join(files.directory, name) === files.lock)
}

function makeContents(files: DataFiles, wanted: WantedAccount): void {
  removeHalfMade(files)
  writeNewSecretFile(files.creating, Buffer.alloc(0))
  const rootKey = new RootKey(fileSeal(files.rootKey).create())
  const account = { accountId: wanted.accountId ?? '111122223333', region: wanted.region ?? 'us-east-1' }
  const database = createDatabase(files.database, (fresh) => {
    writeServiceRow(fresh, rootKey, account)
    writeRootAccessKey(files, new AccessKeys(fresh, rootKey, account.accountId))
  })
  database.close()
  rootKey.zero()
  syncDirectory(files.directory)
  unlinkSync(files.creating)
  syncDirectory(files.directory)
}

function removeHalfMade(files: DataFiles): void {
  const made = [files.database, `${files.database}-wal`, `${files.database}-shm`, `${files.database}-journal`]
  // `creating` goes last: until then the directory must be known as half made.
  for (const path of [...made, files.rootKey, files.rootAccessKey, files.creating])
    rmSync(path, { force: true })
}

/** In the format of AWS's shared credentials file, so that `AWS_SHARED_CREDENTIALS_FILE` can name it. */
function writeRootAccessKey(files: DataFiles, accessKeys: AccessKeys): void {
  const { accessKeyId, secretAccessKey } = accessKeys.create(undefined)
  const text = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
  const content = Buffer.from(text, 'utf8')
  try {
    writeNewSecretFile(files.rootAccessKey, content)
  } finally {
    content.fill(0)
  }
}

function openContents(
  files: DataFiles,
  wanted: WantedAccount,
): Pick<DataDirectory, 'database' | 'rootKey' | 'account'> {
  const database = openDatabase(files.database)
  let rootKey: RootKey | undefined
  try {
    rootKey = new RootKey(fileSeal(files.rootKey).open())
    checkRootKey(database, rootKey, files.rootKey)
    return { database, rootKey, account: checkedAccount(readAccount(database), wanted) }
  } catch (error) {
    rootKey?.zero()
    database.close()
    throw error
  }
}

function checkedAccount(stored: Account, wanted: WantedAccount): Account {
  const differs = (name: string, was: string, is: string): StrongroomError =>
    new StrongroomError(
      'SR_KMS_SETTINGS_DIFFER',
      `the data directory was made with ${name} ${was}, not ${is}: its ARNs hold it, so it can't be changed`,
    )
  if (wanted.accountId !== undefined && wanted.accountId !== stored.accountId) {
    throw differs('account id', stored.accountId, wanted.accountId)
  }
  if (wanted.region !== undefined && wanted.region !== stored.region) {
    throw differs('region', stored.region, wanted.region)
  }
  return stored
}
