import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { readRedoLog } from '../innodb/redo-log.ts'
import { Tablespace } from '../innodb/tablespace.ts'
import type { Settings } from './settings.ts'
import type { Tree } from './tree.ts'

/** What lies in a data directory. */
export interface DataState {
  readonly holdsDatabase: boolean
  /** Keys that the agent will find. */
  readonly holdsKeys: boolean
  /** A file whose data is encrypted; undefined: none was found, or there are keys, and nothing was looked for. */
  readonly encryptedFile: string | undefined
}

/** Reads the beginnings of InnoDB's files. What can't be read counts as not encrypted. */
export async function dataState(tree: Tree, { dataDirectory, storeDirectory }: Settings): Promise<DataState> {
  const data = tree.place(dataDirectory)
  const names = await namesIn(data)
  const holdsKeys = (await namesIn(tree.place(storeDirectory))).some((name) =>
    /^aws-kms-key\.\d+\.\d+$/.test(name),
  )
  return {
    holdsDatabase: names.includes('ibdata1'),
    holdsKeys,
    encryptedFile: holdsKeys ? undefined : await firstEncrypted(data, names),
  }
}

/** Data under keys that the agent has not. */
export function foreignEncryption(state: DataState, { storeDirectory }: Settings): string[] {
  if (state.encryptedFile === undefined) return []
  return [
    `${state.encryptedFile} is encrypted, and no aws-kms-key.* file lies in ${storeDirectory}: put the keys back from a backup, or, if other keys encrypted it, decrypt it with them first`,
  ]
}

async function firstEncrypted(data: string, names: readonly string[]): Promise<string | undefined> {
  if (names.includes('ib_logfile0') && (await isEncryptedLog(data))) return join(data, 'ib_logfile0')
  const folders = names.filter((name) => !name.includes('.'))
  const tables = await Promise.all(folders.map((folder) => tablesIn(join(data, folder))))
  for (const file of [
    ...names.filter((name) => name === 'ibdata1').map((name) => join(data, name)),
    ...tables.flat(),
  ]) {
    if (await isEncryptedTablespace(file)) return file
  }
  return undefined
}

async function isEncryptedLog(data: string): Promise<boolean> {
  return await readRedoLog(data).then(
    ({ state }) => state === 'encrypted',
    () => false,
  )
}

async function isEncryptedTablespace(file: string): Promise<boolean> {
  try {
    const tablespace = await Tablespace.open([file])
    await tablespace?.close()
    return tablespace?.cryptData?.encrypted === true && tablespace.cryptData.minKeyVersion > 0
  } catch {
    return false
  }
}

async function tablesIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => name.endsWith('.ibd')).map((name) => join(folder, name))
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}
