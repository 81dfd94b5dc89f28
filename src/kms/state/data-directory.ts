import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { StrongroomError } from '../../errors.ts'
import type { Account } from '../arn.ts'
import { makeDirectoryDurably, syncDirectory, writeNewSecretFile } from '../durable-file.ts'
import { RootKey } from '../seal/root-key.ts'
import { RootKeyStore } from '../seal/root-key-store.ts'
import { rootKeyLength, type SealHelp, type SealKind, type SealRequest } from '../seal/seal.ts'
import { systemReason } from '../system-reason.ts'
import { AccessKeys } from './access-keys.ts'
import { tagFirstAliases } from './alias-rows.ts'
import { bringToNewestSchema, createDatabase, openDatabase } from './database.ts'
import { lockDirectory } from './directory-lock.ts'
import { IdentityTags } from './identity-tags.ts'
import { tagFirstKeys } from './keys/first-tags.ts'
import { bindServiceRow, checkRootKey, readService, writeServiceRow } from './service-row.ts'

/** What lies in the data directory, by path. */
export interface DataFiles {
  readonly directory: string
  readonly lock: string
  readonly database: string
  readonly rootKey: RootKeyStore
  readonly rootAccessKey: string
  readonly auditTrail: string
  /** What clients trust when the service has its own certificate authority. */
  readonly authorityCertificate: string
  /** There while the directory is being made. */
  readonly creating: string
}

/** A data directory that is open, and this process's alone. */
export interface DataDirectory {
  readonly files: DataFiles
  readonly database: DatabaseSync
  readonly rootKey: RootKey
  readonly account: Account
  /** 32 hexadecimal digits, chosen when the directory was made. */
  readonly serviceId: string
  readonly sealKind: SealKind
  /** Whether it was made just now. */
  readonly created: boolean
  close(): void
}

/** The first three are for a new directory; for another they must be as stored, or left out. */
export interface DirectoryOptions extends SealHelp {
  readonly accountId?: string | undefined
  readonly region?: string | undefined
  /** The root key in a file of its own, when left out. */
  readonly seal?: SealRequest | undefined
}

/**
 * Opens the data directory, or makes it when there is none, or an empty one, or one that an interrupted start left
 * half made (it then holds the file `creating`, and no key was ever given out from it). Everything else that is not
 * whole is refused with a StrongroomError: existing data never becomes an empty service.
 */
export async function openDataDirectory(path: string, options: DirectoryOptions): Promise<DataDirectory> {
  const files = dataFiles(resolve(path))
  makeDirectory(files)
  refuseForeignDirectory(files)
  const lock = lockDirectory(files.directory, files.lock)
  try {
    const created = needsMaking(files)
    const rootKey = created ? await makeContents(files, options) : undefined
    const opened = await openContents(files, options, rootKey)
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
    rootKey: new RootKeyStore(directory),
    rootAccessKey: join(directory, 'root-access-key'),
    auditTrail: join(directory, 'audit-trail.jsonl'),
    authorityCertificate: join(directory, 'ca.pem'),
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
  const ours = [files.lock, files.database, files.creating]
  if (names.length > 0 && !ours.some(existsSync) && !files.rootKey.exists()) {
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

/** Returns the root key, so that nobody is asked for a passphrase once more. */
async function makeContents(files: DataFiles, options: DirectoryOptions): Promise<RootKey> {
  removeHalfMade(files)
  writeNewSecretFile(files.creating, Buffer.alloc(0))
  const rootKey = new RootKey(randomBytes(rootKeyLength))
  try {
    const account = { accountId: options.accountId ?? '111122223333', region: options.region ?? 'us-east-1' }
    const service = { ...account, serviceId: randomBytes(16).toString('hex') }
    await files.rootKey.keep(rootKey, service.serviceId, options.seal ?? { kind: 'file' }, options)
    const database = createDatabase(files.database, (fresh) => {
      writeServiceRow(fresh, rootKey, service)
      writeRootAccessKey(files, new AccessKeys(fresh, rootKey, account.accountId))
    })
    database.close()
    syncDirectory(files.directory)
    unlinkSync(files.creating)
    syncDirectory(files.directory)
    return rootKey
  } catch (error) {
    rootKey.zero()
    throw error
  }
}

function removeHalfMade(files: DataFiles): void {
  const made = [files.database, `${files.database}-wal`, `${files.database}-shm`, `${files.database}-journal`]
  // `creating` goes last: until then the directory must be known as half made.
  for (const path of [...made, ...files.rootKey.paths, files.rootAccessKey, files.creating])
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

async function openContents(
  files: DataFiles,
  options: DirectoryOptions,
  made: RootKey | undefined,
): Promise<Pick<DataDirectory, 'database' | 'rootKey' | 'account' | 'serviceId' | 'sealKind'>> {
  let rootKey = made
  let database: DatabaseSync | undefined
  try {
    database = openDatabase(files.database)
    const service = readService(database)
    const sealKind = checkedKind(files.rootKey, options)
    rootKey ??= await files.rootKey.open(service.serviceId, options)
    checkRootKey(database, rootKey, files.rootKey.file)
    if (files.rootKey.finishInterruptedChange(rootKey)) {
      options.log?.warn(
        'finished a change of the seal that was interrupted: removed the root key in the clear',
      )
    }
    warnOfOpenRootKey(sealKind, files, options)
    migrate(database, rootKey)
    const { serviceId, ...account } = readService(database)
    return { database, rootKey, serviceId, sealKind, account: checkedAccount(account, options) }
  } catch (error) {
    rootKey?.zero()
    database?.close()
    throw error
  }
}

function migrate(database: DatabaseSync, rootKey: RootKey): void {
  bringToNewestSchema(database, (from) => {
    if (from !== 1) return
    bindServiceRow(database, rootKey)
    tagFirstKeys(database, rootKey, readService(database).accountId)
    tagFirstAliases(database, rootKey)
    new IdentityTags(database, rootKey).tagAll()
  })
}

function warnOfOpenRootKey(kind: SealKind, files: DataFiles, { log }: DirectoryOptions): void {
  if (kind !== 'file') return
  log?.warn(
    { file: files.rootKey.clearFile },
    'the root key lies in the clear beside the database: whoever reads the data directory, or a backup of all of it, ' +
      'reads every key; `strongroom kms reseal` changes that',
  )
}

function checkedKind(store: RootKeyStore, { seal }: DirectoryOptions): SealKind {
  const kind = store.kind()
  if (seal === undefined || seal.kind === kind) return kind
  throw new StrongroomError(
    'SR_KMS_SETTINGS_DIFFER',
    `the root key is sealed by ${kind}, not by ${seal.kind}: \`strongroom kms reseal\` changes the seal`,
  )
}

function checkedAccount(stored: Account, wanted: DirectoryOptions): Account {
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
