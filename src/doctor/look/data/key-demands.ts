import { basename, relative } from 'node:path'
import { redoLogKeyId } from '../../../innodb/redo-log.ts'
import type { KeyName } from '../../../keyring/data-key.ts'
import { byKeyName, keyFileName } from '../../../keyring/wrapped-key.ts'
import { ariaKeyId } from '../../../mariadb/aria-table.ts'
import { binaryLogKeyId } from '../../../mariadb/binary-log.ts'
import { isSeen } from '../../looked.ts'
import type { DataSurvey } from './data-survey.ts'
import type { SurveyedTablespace } from './surveyed-tablespace.ts'

/** A data key that the data asks for. */
export interface KeyDemand extends KeyName {
  /** What asks for it: "the redo log", "12 pages of d/orders.ibd". The weightiest first. */
  readonly by: readonly string[]
  /** False where a damaged page could say the same: pages of Aria have no checksum that can be told without keys. */
  readonly isProven: boolean
}

/** Every key that something is encrypted with, by what was read. */
export function keyDemands(survey: DataSurvey): KeyDemand[] {
  const demands = new Map<string, KeyDemand>()
  const add = (keyId: number, version: number, by: string, isProven = true) => {
    const name = keyFileName({ keyId, version })
    const former = demands.get(name) ?? { by: [], isProven: false }
    demands.set(name, { keyId, version, by: [...former.by, by], isProven: former.isProven || isProven })
  }

  if (isSeen(survey.redoLog))
    for (const version of survey.redoLog.seen.keyVersions) add(redoLogKeyId, version, 'the redo log')
  for (const space of survey.tablespaces) {
    const name = shortName(space.path, survey.dataDirectory)
    if (space.cryptData === undefined) continue
    const { keyId } = space.cryptData
    for (const [version, pages] of space.encrypted) add(keyId, version, `${countOf(pages)} of ${name}`)
    const least = leastOfSample(space)
    if (least !== undefined) add(keyId, least, `${name}, by what its first page says`)
  }
  for (const table of survey.ariaTables) {
    for (const [version, pages] of table.keyVersions)
      add(ariaKeyId, version, `${countOf(pages)} of ${table.schema}/${table.name} (Aria)`, false)
  }
  for (const { path, start } of survey.logs)
    if (start.encrypted) add(binaryLogKeyId, start.keyVersion, basename(path))
  return [...demands.values()].sort(byKeyName)
}

/** Below the data directory; else the whole path. */
function shortName(path: string, dataDirectory: string): string {
  const name = relative(dataDirectory, path)
  return name.startsWith('..') ? path : name
}

/** Of a tablespace that was not read wholly: its first page names the least version that the pages not seen may have. */
function leastOfSample({ cryptData, pages, pagesRead, encrypted }: SurveyedTablespace): number | undefined {
  const least = cryptData?.encrypted === true ? cryptData.minKeyVersion : 0
  return pagesRead >= pages || least === 0 || encrypted.has(least) ? undefined : least
}

function countOf(pages: number): string {
  return pages === 1 ? '1 page' : `${pages.toLocaleString('en')} pages`
}
