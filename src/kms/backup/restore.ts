import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { giveToOwnerOf, makeDirectoryDurably, syncDirectory, syncFile } from '../durable-file.ts'
import type { SealHelp } from '../seal/seal.ts'
import { dataFiles, openDataDirectory } from '../state/data-directory.ts'
import { systemReason } from '../system-reason.ts'
import { checkContents, type Checked } from './check-contents.ts'
import { copyFile } from './copy-file.ts'
import { countRows } from './make-backup.ts'
import { type Manifest, readCheckedManifest } from './manifest.ts'
import { noteRestore } from './restore-note.ts'

export interface RestoreOptions extends SealHelp {
  /** The root key of a service whose seal is `file`, when the backup is without it. */
  readonly rootKeyFile?: string | undefined
}

export interface Restored extends Checked {
  readonly manifest: Manifest
}

/**
 * Checks a backup and makes a data directory of it, which must not exist or be empty. It comes into being at once, when
 * all was checked: no interruption leaves half of one.
 */
export async function restoreBackup(from: string, to: string, options: RestoreOptions): Promise<Restored> {
  const target = resolve(to)
  requireEmpty(target)
  makeDirectoryDurably(dirname(target))
  const staging = mkdtempSync(`${target}.restoring-`)
  return await within(staging, async () => {
    const restored = await stage(resolve(from), staging, options)
    noteRestore(staging, restored.manifest)
    for (const name of readdirSync(staging)) syncFile(join(staging, name))
    giveLike(target, staging)
    syncDirectory(staging)
    moveInPlace(staging, target)
    return restored
  })
}

/** When root restores into a directory that the service's user made. */
function giveLike(target: string, staging: string): void {
  if (!existsSync(target)) return
  for (const path of [staging, ...readdirSync(staging).map((name) => join(staging, name))]) {
    giveToOwnerOf(target, path)
  }
}

/** The same checks, on a copy that is removed again. */
export async function checkBackup(from: string, options: RestoreOptions): Promise<Restored> {
  const staging = mkdtempSync(join(tmpdir(), 'strongroom-kms-check-'))
  return await within(staging, () => stage(resolve(from), staging, options))
}

async function within<T>(staging: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function requireEmpty(target: string): void {
  if (!existsSync(target) || readdirSync(target).length === 0) return
  throw new StrongroomError(
    'SR_KMS_DIRECTORY',
    `${target} is not empty: restore into a directory that does not exist, and keep this one aside`,
  )
}

async function stage(from: string, staging: string, options: RestoreOptions): Promise<Restored> {
  const manifest = await readCheckedManifest(from)
  for (const name of Object.keys(manifest.files)) copyFile(join(from, name), join(staging, name))
  bringRootKey(from, staging, options)
  const data = await openDataDirectory(staging, options)
  try {
    if (data.serviceId !== manifest.serviceId && manifest.serviceId !== '') {
      throw new StrongroomError('SR_KMS_BACKUP', `the manifest in ${from} is that of another service`)
    }
    for (const [table, rows] of Object.entries(countRows(data.database, currentTables(manifest)))) {
      if (rows === manifest.rows[table]) continue
      throw new StrongroomError(
        'SR_KMS_BACKUP',
        `the table ${table} has ${String(rows)} rows, not the ${String(manifest.rows[table])} that were backed up`,
      )
    }
    return { manifest, ...checkContents(data) }
  } finally {
    data.close()
  }
}

/** A database of an older release gets new tables when it is opened, and new rows in them. */
function currentTables(manifest: Manifest): string[] {
  return Object.keys(manifest.rows).filter((table) => manifest.serviceId !== '' && table !== 'audit_head')
}

function bringRootKey(from: string, staging: string, { rootKeyFile }: RestoreOptions): void {
  const { rootKey } = dataFiles(staging)
  if (rootKey.exists()) return
  if (rootKeyFile === undefined) {
    throw new StrongroomError(
      'SR_KMS_ROOT_KEY_MISSING',
      `the backup ${from} is without the root key, which was to be kept elsewhere: name it by --root-key`,
    )
  }
  copyFile(resolve(rootKeyFile), rootKey.clearFile)
}

function moveInPlace(staging: string, target: string): void {
  try {
    renameSync(staging, target)
    syncDirectory(dirname(target))
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_DIRECTORY',
      `cannot put the restored directory ${basename(staging)} in the place of ${target} (${systemReason(error)})`,
      { cause: error },
    )
  }
}
