import type { AriaSurvey } from '../../src/doctor/look/data/aria-survey.ts'
import type { DataSurvey } from '../../src/doctor/look/data/data-survey.ts'
import type { SurveyedTablespace } from '../../src/doctor/look/data/surveyed-tablespace.ts'
import { type Looked, seen } from '../../src/doctor/looked.ts'

/** A data directory in which there is nothing but what a test says; all of it was read, and is encrypted. */
export function dataWith(parts: Partial<DataSurvey>): Looked<DataSurvey> {
  return seen({
    dataDirectory: '/var/lib/mysql',
    tablespaces: [],
    ariaTables: [],
    otherTables: [],
    redoLog: seen({ file: '/var/lib/mysql/ib_logfile0', state: 'encrypted', keyVersions: [1] }),
    logs: [],
    ariaLogs: [],
    size: 0,
    read: 0,
    unread: [],
    ...parts,
  })
}

export function tableWith(parts: Partial<SurveyedTablespace>): SurveyedTablespace {
  return {
    kind: 'table',
    schema: 'd',
    name: 't',
    path: `/var/lib/mysql/d/${parts.name ?? 't'}.ibd`,
    format: { pageSize: 16384, physicalSize: 16384, fullCrc32: true },
    cryptData: { encrypted: true, keyId: 1, minKeyVersion: 1, wish: 'default' },
    keyIdWished: undefined,
    pages: 10,
    pagesRead: 10,
    encrypted: new Map(),
    plain: 0,
    plainSpatial: 0,
    freedPlain: 0,
    copiedPlain: 0,
    unclear: 0,
    ...parts,
  }
}

export function ariaTableWith(parts: Partial<AriaSurvey>): AriaSurvey {
  return {
    schema: 'd',
    name: 'a',
    index: '/var/lib/mysql/d/a.MAI',
    data: '/var/lib/mysql/d/a.MAD',
    size: 16384,
    encrypted: true,
    rowsInPages: true,
    transactional: true,
    blockSize: 8192,
    indexStart: 8192,
    keyVersions: new Map(),
    ...parts,
  }
}
