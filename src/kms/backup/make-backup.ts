import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import { askRunningService } from '../admin/client.ts'
import { finishedSegments } from '../audit/segments.ts'
import { syncDirectory, syncFile, giveToOwnerOf } from '../durable-file.ts'
import type { SealKind } from '../seal/seal.ts'
import { type DataFiles, dataFiles } from '../state/data-directory.ts'
import { openDatabase } from '../state/database.ts'
import { lockDirectory } from '../state/directory-lock.ts'
import { readService } from '../state/service-row.ts'
import { systemReason } from '../system-reason.ts'
import { copyFile } from './copy-file.ts'
import { copyDatabase, copyPath } from './database-copy.ts'
import { digestOf, type Manifest, writeManifest } from './manifest.ts'

export interface BackupOptions {
  /** Puts the root key into the backup when it lies in the clear: whoever has the backup can read every key then. */
  readonly includeRootKey: boolean
  readonly withAuditTrail: boolean
}

export interface MadeBackup {
  readonly directory: string
  readonly rows: Manifest['rows']
  readonly seal: SealKind
  readonly rootKeyIncluded: boolean
  /** The file with the root key; without it, or what opens it, the backup is worth nothing. */
  readonly rootKeyFile: string
  /** Whether a service was running. */
  readonly online: boolean
}

/** Makes a backup of a data directory in a new directory, while the service runs or not. Throws SR_KMS_BACKUP. */
export async function makeBackup(from: string, to: string, options: BackupOptions): Promise<MadeBackup> {
  const files = dataFiles(resolve(from))
  const target = resolve(to)
  if (!existsSync(files.database)) {
    throw new StrongroomError(
      'SR_KMS_DATABASE_MISSING',
      `${files.database} is missing: name the data directory of a KMS service`,
    )
  }
  makeTarget(target, files.directory)
  try {
    return await fill(target, files, options)
  } catch (error) {
    rmSync(target, { recursive: true, force: true })
    throw error
  }
}

/** The service writes into it, so it belongs to the service's user. */
function makeTarget(target: string, dataDirectory: string): void {
  try {
    mkdirSync(target, { mode: 0o700 })
    giveToOwnerOf(dataDirectory, target)
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_BACKUP',
      `cannot make ${target} (${systemReason(error)}): name a directory that does not exist, in one that does`,
      { cause: error },
    )
  }
}

async function fill(target: string, files: DataFiles, options: BackupOptions): Promise<MadeBackup> {
  const copy = join(target, basename(files.database))
  const answer = await askRunningService(files.directory, copyPath, { target: copy })
  if (answer === undefined) await copyAlone(files, copy)
  const found = inspect(copy)
  const { seal, rootKeyIncluded } = copyRootKey(files, target, options)
  const names = [basename(copy), ...rootKeyNames(files, seal, rootKeyIncluded)]
  if (options.withAuditTrail) names.push(...copyTrail(files, target))
  const digests: Manifest['files'] = {}
  for (const name of names) {
    syncFile(join(target, name))
    digests[name] = await digestOf(join(target, name))
  }
  const madeAt = new Date().toISOString()
  writeManifest(target, { madeAt, seal, rootKeyIncluded, files: digests, ...found })
  syncDirectory(dirname(target))
  return {
    directory: target,
    rows: found.rows,
    seal,
    rootKeyIncluded,
    rootKeyFile: files.rootKey.file,
    online: answer !== undefined,
  }
}

/** Nothing in it has to be opened, so that nobody is asked for a passphrase. */
async function copyAlone(files: DataFiles, copy: string): Promise<void> {
  const lock = lockDirectory(files.directory, files.lock)
  try {
    const database = openDatabase(files.database)
    try {
      await copyDatabase(database, copy)
    } finally {
      database.close()
    }
  } finally {
    lock.release()
  }
}

const nameRow = z.object({ name: z.string() })
const countRow = z.object({ rows: z.number() })
const headRow = z.object({ sequence: z.number(), hash: z.string() })

/** Opens the copy as a start would, which finds damage. */
function inspect(copy: string): Pick<Manifest, 'serviceId' | 'rows' | 'auditTrailHead'> {
  const database = openDatabase(copy)
  try {
    const { serviceId } = readService(database)
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .map((row) => nameRow.parse(row).name)
    return { serviceId, rows: countRows(database, tables), auditTrailHead: headIn(database, tables) }
  } finally {
    database.close()
  }
}

export function countRows(database: DatabaseSync, tables: readonly string[]): Manifest['rows'] {
  return Object.fromEntries(
    tables.map((table) => [
      table,
      countRow.parse(database.prepare(`SELECT count(*) AS rows FROM "${table}"`).get()).rows,
    ]),
  )
}

function headIn(database: DatabaseSync, tables: readonly string[]): Manifest['auditTrailHead'] {
  if (!tables.includes('audit_head')) return { sequence: 0, hash: '' }
  return headRow.parse(database.prepare('SELECT sequence, hash FROM audit_head').get())
}

function copyRootKey(
  files: DataFiles,
  target: string,
  { includeRootKey }: BackupOptions,
): { seal: SealKind; rootKeyIncluded: boolean } {
  const seal = files.rootKey.kind()
  const rootKeyIncluded = seal === 'file' && includeRootKey
  for (const name of rootKeyNames(files, seal, rootKeyIncluded)) {
    copyFile(join(files.directory, name), join(target, name))
  }
  return { seal, rootKeyIncluded }
}

function rootKeyNames(files: DataFiles, seal: SealKind, rootKeyIncluded: boolean): string[] {
  return seal === 'file' && !rootKeyIncluded ? [] : [basename(files.rootKey.file)]
}

/** After the database: the trail may go on behind what the database knows of it, not end before. */
function copyTrail(files: DataFiles, target: string): string[] {
  const paths = [...finishedSegments(files.auditTrail).map(({ path }) => path), files.auditTrail]
  return paths.filter(existsSync).map((path) => {
    copyFile(path, join(target, basename(path)))
    return basename(path)
  })
}
