import { readBytes, openForReading } from '../../../innodb/read-only-file.ts'
import { readRedoLog, type RedoLog } from '../../../innodb/redo-log.ts'
import { shares } from '../../../innodb/page-runs.ts'
import { systemCode, messageOf } from '../../../errors.ts'
import { type BinaryLogStart, binaryLogStartLength, readBinaryLogStart } from '../../../mariadb/binary-log.ts'
import { type Looked, seen, unseen } from '../../looked.ts'
import { type AriaSurvey, surveyAriaTable } from './aria-survey.ts'
import { findDataFiles, type OtherTable, type Unread } from './data-files.ts'
import type { DataPlaces } from './places.ts'
import { surveyTablespaceFiles, type SurveyedTablespace } from './surveyed-tablespace.ts'

/** What a server's files say about keys and plaintext, read without a key. */
export interface DataSurvey {
  readonly dataDirectory: string
  readonly tablespaces: readonly SurveyedTablespace[]
  readonly ariaTables: readonly AriaSurvey[]
  readonly otherTables: readonly OtherTable[]
  readonly redoLog: Looked<RedoLog>
  readonly logs: readonly SurveyedLog[]
  readonly ariaLogs: readonly string[]
  /** Bytes of the files with pages, and how many of them were read. */
  readonly size: number
  readonly read: number
  /** What could not be read, and why. */
  readonly unread: readonly Unread[]
}

/** A binary or relay log. */
export interface SurveyedLog {
  readonly path: string
  readonly start: BinaryLogStart
}

/** Bytes of pages that are read where there are more, unless the operator wants all of them. */
export const usualBudget = 4 * 1024 ** 3

/**
 * Reads what the files say, each byte at most once but for pages that look torn. A server may run: what it drops meanwhile is left out.
 * Of more than `budget` bytes of pages a sample is read, small files wholly, large ones in evenly spread parts.
 */
export async function surveyData(places: DataPlaces, budget: number): Promise<DataSurvey> {
  const files = await findDataFiles(places)
  const unread = [...files.unread]
  const attempt = async <T>(path: string, read: () => Promise<T | undefined>): Promise<T[]> => {
    try {
      const result = await read()
      return result === undefined ? [] : [result]
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') unread.push({ path, error })
      return []
    }
  }
  const inPages = [...files.tablespaces, ...files.ariaTables]
  const granted = shares(
    inPages.map(({ size }) => size),
    budget,
  )
  const tablespaces = await inTurn(files.tablespaces, (space, at) =>
    attempt(space.paths[0] ?? space.name, () => surveyTablespaceFiles(space, granted[at] ?? 0)),
  )
  const ariaTables = await inTurn(files.ariaTables, (table, at) =>
    attempt(table.index, () => surveyAriaTable(table, granted[files.tablespaces.length + at] ?? 0)),
  )
  return {
    dataDirectory: places.dataDirectory,
    tablespaces,
    ariaTables,
    otherTables: files.otherTables,
    redoLog: await redoLogIn(places.redoDirectory),
    logs: await inTurn(files.logs, (path) => attempt(path, () => surveyLog(path))),
    ariaLogs: files.ariaLogs,
    size: sum(inPages.map(({ size }) => size)),
    read: sum(granted),
    unread,
  }
}

async function redoLogIn(directory: string): Promise<Looked<RedoLog>> {
  try {
    return seen(await readRedoLog(directory))
  } catch (error) {
    return unseen(`the redo log in ${directory} can't be read (${messageOf(error)})`)
  }
}

/** undefined: it is no binary log. */
async function surveyLog(path: string): Promise<SurveyedLog | undefined> {
  if (path.endsWith('.ibb'))
    throw new Error('it is a binary log of a kind that is not known here (binlog_storage_engine)')
  const file = await openForReading(path)
  try {
    const start = readBinaryLogStart(await readBytes(file, 0, binaryLogStartLength))
    return start === undefined ? undefined : { path, start }
  } finally {
    await file.close()
  }
}

async function inTurn<T, U>(
  items: readonly T[],
  act: (item: T, at: number) => Promise<readonly U[]>,
): Promise<U[]> {
  const results: U[] = []
  for (const [at, item] of items.entries()) results.push(...(await act(item, at)))
  return results
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
