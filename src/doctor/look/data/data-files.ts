import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { systemCode } from '../../../errors.ts'
import { openForReading, readBytes } from '../../../innodb/read-only-file.ts'
import type { DataPlaces } from './places.ts'

/** What lies in the places of a server, by its name only. */
export interface DataFiles {
  readonly tablespaces: readonly TablespaceFiles[]
  readonly ariaTables: readonly AriaFiles[]
  /** With rows in them, and of engines that can't encrypt. */
  readonly otherTables: readonly OtherTable[]
  /** Files whose names end as those of binary and relay logs do. */
  readonly logs: readonly string[]
  /** Of Aria's own log. */
  readonly ariaLogs: readonly string[]
  /** Directories that could not be listed, and why. */
  readonly unread: readonly Unread[]
}

export interface TablespaceFiles {
  readonly kind: 'system' | 'undo' | 'table'
  /** Of a table its schema, else ''. */
  readonly schema: string
  /** As its file is named. */
  readonly name: string
  readonly paths: readonly string[]
  /** The file with the table's definition (.frm), if it is a table's. */
  readonly definition: string | undefined
  /** Bytes. */
  readonly size: number
}

export interface AriaFiles {
  readonly schema: string
  readonly name: string
  readonly index: string
  readonly data: string
  readonly size: number
}

export interface OtherTable {
  readonly schema: string
  readonly name: string
  readonly engine: string
}

export interface Unread {
  readonly path: string
  readonly error: unknown
}

/** The file with the rows, by engine. */
const otherEngines: Readonly<Record<string, string>> = { '.MYD': 'MyISAM', '.CSV': 'CSV', '.ARZ': 'ARCHIVE' }

/** Throws the system's error where the data directory itself can't be listed. */
export async function findDataFiles(places: DataPlaces): Promise<DataFiles> {
  const unread: Unread[] = []
  await readdir(places.dataDirectory)
  const list = async (directory: string) => await entriesOf(directory, unread)
  const found = await Promise.all(
    (await foldersIn(places.dataDirectory, list)).map(async (schema) => {
      const directory = join(places.dataDirectory, schema)
      return tablesIn(directory, schema, await list(directory))
    }),
  )
  const tables = await Promise.all(found.flat())
  const system = places.systemFiles ?? (await named(places.systemDirectory, /^ibdata\d+$/, list))
  const undo = await named(places.undoDirectory, /^undo\d{3}$/, list)
  const logs = await Promise.all(
    places.logDirectories.map((directory) => named(directory, /(\.\d{6,}|-\d{6,}\.ibb)$/, list)),
  )
  return {
    tablespaces: [
      ...(system.length === 0
        ? []
        : [await tablespace({ ...noTable, kind: 'system', name: 'the system tablespace', paths: system })]),
      ...(await Promise.all(
        undo.map((path) => tablespace({ ...noTable, kind: 'undo', name: basename(path), paths: [path] })),
      )),
      ...tables.flatMap((table) => table.tablespaces),
    ],
    ariaTables: tables.flatMap((table) => table.ariaTables),
    otherTables: tables.flatMap((table) => table.otherTables),
    logs: logs.flat().filter((path) => !isAriaLog(path)),
    ariaLogs: await named(places.dataDirectory, /^aria_log\.\d{8}$/, list),
    unread,
  }
}

/** Of schemas, mostly; a schema may be a symbolic link to where there is more room. */
async function foldersIn(
  directory: string,
  list: (directory: string) => Promise<Dirent[]>,
): Promise<string[]> {
  const entries = await list(directory)
  const areFolders = await Promise.all(
    entries.map(
      async (entry) =>
        entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(directory, entry.name)))),
    ),
  )
  return entries.filter((_, at) => areFolders[at]).map(({ name }) => name)
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

type Tables = Pick<DataFiles, 'tablespaces' | 'ariaTables' | 'otherTables'>

/** One for each file: what of a table it is. */
function tablesIn(directory: string, schema: string, entries: readonly Dirent[]): Promise<Tables>[] {
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map(async ({ name: file }): Promise<Tables> => {
    const [, name = '', extension = ''] = /^(.*)(\.\w+)$/.exec(file) ?? []
    const path = join(directory, file)
    const table = { kind: 'table', schema, name, definition: definitionOf(directory, name) } as const
    switch (extension) {
      case '.ibd':
        return { ...none, tablespaces: [await tablespace({ ...table, paths: [path] })] }
      // Where DATA DIRECTORY put the table.
      case '.isl':
        return { ...none, tablespaces: [await tablespace({ ...table, paths: [await linkIn(path)] })] }
      case '.MAI':
        return { ...none, ariaTables: [await ariaTable(directory, schema, name)] }
      default: {
        const engine = otherEngines[extension]
        const isFilled = engine !== undefined && (await sizeOf(path)) > 0
        return isFilled ? { ...none, otherTables: [{ schema, name, engine }] } : none
      }
    }
  })
}

const none: Tables = { tablespaces: [], ariaTables: [], otherTables: [] }
const noTable = { schema: '', definition: undefined } as const

/** Partitions have one definition in common. */
function definitionOf(directory: string, name: string): string {
  return join(directory, `${name.replace(/#P#.*$/i, '')}.frm`)
}

async function tablespace(files: Omit<TablespaceFiles, 'size'>): Promise<TablespaceFiles> {
  const sizes = await Promise.all(files.paths.map(sizeOf))
  return { ...files, size: sizes.reduce((sum, size) => sum + size, 0) }
}

async function ariaTable(directory: string, schema: string, name: string): Promise<AriaFiles> {
  const [index, data] = [join(directory, `${name}.MAI`), join(directory, `${name}.MAD`)]
  return { schema, name, index, data, size: (await sizeOf(index)) + (await sizeOf(data)) }
}

/**
 * Itself where it can't be read, or names no tablespace; then it is told that it was not read. What it says is told to the operator, so it must look like what a server
 * writes there: the path of a tablespace, and nothing else that somebody may have had us read.
 */
async function linkIn(path: string): Promise<string> {
  try {
    const file = await openForReading(path)
    try {
      const target = (await readBytes(file, 0, longestPath)).toString('utf8').trimEnd()
      return /^[^\p{Cc}]*\.ibd$/u.test(target) ? resolve(target) : path
    } finally {
      await file.close()
    }
  } catch {
    return path
  }
}

/** PATH_MAX of Linux. */
const longestPath = 4096

/** 0 for what is gone or can't be looked at: reading it says why. */
async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

function isAriaLog(path: string): boolean {
  return /\/aria_log\.\d+$/.test(path)
}

async function named(
  directory: string,
  pattern: RegExp,
  list: (directory: string) => Promise<Dirent[]>,
): Promise<string[]> {
  const names = (await list(directory)).map(({ name }) => name).filter((name) => pattern.test(name))
  return names
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => join(directory, name))
}

async function entriesOf(directory: string, unread: Unread[]): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    // Dropped meanwhile.
    const isKnown = unread.some(({ path }) => path === directory)
    if (systemCode(error) !== 'ENOENT' && !isKnown) unread.push({ path: directory, error })
    return []
  }
}
