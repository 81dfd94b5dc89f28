import { PagedFiles } from '../../../innodb/paged-files.ts'
import { pageRuns } from '../../../innodb/page-runs.ts'
import { openForReading, readBytes } from '../../../innodb/read-only-file.ts'
import { VersionCount } from '../../../innodb/version-count.ts'
import {
  ariaHeaderLength,
  type AriaTable,
  keyVersionOfDataPage,
  keyVersionOfIndexPage,
  readAriaTable,
} from '../../../mariadb/aria-table.ts'
import type { AriaFiles } from './data-files.ts'

export interface AriaSurvey extends AriaFiles, AriaTable {
  /** Of an encrypted table: pages by key version. Their checksum is that of the plaintext, so nothing else proves them. */
  readonly keyVersions: ReadonlyMap<number, number>
}

const pagesAtOnce = 64

/** Reads up to so many bytes of a table's two files. undefined: the table is just being made. Throws why it can't be read. */
export async function surveyAriaTable(files: AriaFiles, bytes: number): Promise<AriaSurvey | undefined> {
  const table = await readHeader(files.index)
  if (table === undefined) return undefined
  const count = new VersionCount()
  const add = (version: number | undefined) => {
    if (version !== undefined && version !== 0) count.add(version)
  }
  if (table.encrypted) {
    const wanted = Math.ceil(bytes / table.blockSize)
    const firstOfIndex = Math.ceil(table.indexStart / table.blockSize)
    await eachPage(files.data, table.blockSize, wanted, (page, at) => {
      add(keyVersionOfDataPage(page, at))
    })
    await eachPage(files.index, table.blockSize, wanted, (page, at) => {
      if (at >= firstOfIndex) add(keyVersionOfIndexPage(page, table))
    })
  }
  return { ...files, ...table, keyVersions: count.pages }
}

async function readHeader(path: string): Promise<AriaTable | undefined> {
  const file = await openForReading(path)
  try {
    return readAriaTable(await readBytes(file, 0, ariaHeaderLength))
  } finally {
    await file.close()
  }
}

/** Without those that are all zeros: nothing was written there. */
async function eachPage(
  path: string,
  pageSize: number,
  wanted: number,
  act: (page: Buffer, pageNumber: number) => void,
): Promise<void> {
  const file = await PagedFiles.open([path], pageSize)
  try {
    const buffer = Buffer.alloc(pagesAtOnce * pageSize)
    for (const run of pageRuns(file.pages, wanted, pagesAtOnce)) {
      const pages = await file.read(run, buffer)
      for (const [at, page] of pages.entries()) {
        if (page.some((byte) => byte !== 0)) act(page, run.first + at)
      }
    }
  } finally {
    await file.close()
  }
}
