import { setTimeout as sleep } from 'node:timers/promises'
import { isWhole } from './checksum.ts'
import { type CryptData, readCryptData } from './crypt-data.ts'
import { doublewriteRuns } from './doublewrite.ts'
import { type PageFormat, pageSizes, parsePageFormat } from './page-format.ts'
import { isNeverEncrypted, pageHeader, transactionSystemPage } from './page.ts'
import { PagedFiles, type PageRun } from './paged-files.ts'

/** How often a page that looks torn is read again, and how long after (ms). */
const retries = { count: 5, pause: 20 } as const

/**
 * The tablespace in one or more files, read-only and without keys. The server may run: its writes show when they have reached the
 * files, which its own memory is ahead of.
 */
export class Tablespace {
  readonly spaceId: number
  readonly format: PageFormat
  readonly cryptData: CryptData | undefined
  /** Where copies of other tablespaces' pages lie. */
  readonly doublewrite: readonly PageRun[]
  readonly #files: PagedFiles

  /**
   * undefined: nothing has been written to it yet. Throws the system's errors, and one that says so where the first page is not that of
   * a tablespace.
   */
  static async open(paths: readonly string[]): Promise<Tablespace | undefined> {
    const format = await readFormat(paths)
    if (format === undefined) return undefined
    const files = await PagedFiles.open(paths, format.physicalSize)
    try {
      const first = await readWholePage(files, 0, format)
      if (first === undefined) throw new Error('its first page is damaged')
      const spaceId = first.readUInt32BE(34)
      const copies = spaceId === 0 ? await readWholePage(files, transactionSystemPage, format) : undefined
      return new Tablespace(files, first, format, copies === undefined ? [] : doublewriteRuns(copies, format))
    } catch (error) {
      await files.close()
      throw error
    }
  }

  private constructor(
    files: PagedFiles,
    firstPage: Buffer,
    format: PageFormat,
    doublewrite: readonly PageRun[],
  ) {
    this.#files = files
    this.spaceId = firstPage.readUInt32BE(34)
    this.format = format
    this.cryptData = readCryptData(firstPage, format)
    this.doublewrite = doublewrite
  }

  get pages(): number {
    return this.#files.pages
  }

  /** As they are now, one of them torn perhaps. With `buffer`, they are good until it is used again. */
  async read(run: PageRun, buffer?: Buffer): Promise<Buffer[]> {
    return await this.#files.read(run, buffer)
  }

  /** The page, once it is read as the server wrote it; undefined where it never is. */
  async readWhole(pageNumber: number): Promise<Buffer | undefined> {
    return await readWholePage(this.#files, pageNumber, this.format)
  }

  isDoublewrite(pageNumber: number): boolean {
    return this.doublewrite.some(({ first, count }) => pageNumber >= first && pageNumber < first + count)
  }

  /** Of a page in the doublewrite buffer: whether it is a page of a tablespace of this one's format, whole and in the clear. */
  isPlainCopy(page: Buffer): boolean {
    const header = pageHeader(page, this.format)
    const [pageNumber, spaceId] = [page.readUInt32BE(4), page.readUInt32BE(34)]
    if (header.keyVersion !== 0 || isNeverEncrypted(header, pageNumber, spaceId)) return false
    return isWhole(page, pageNumber, this.format)
  }

  async close(): Promise<void> {
    await this.#files.close()
  }
}

/** The format lies where it lies in every format. */
async function readFormat(paths: readonly string[]): Promise<PageFormat | undefined> {
  const start = await PagedFiles.open(paths.slice(0, 1), pageSizes.smallest)
  try {
    for (let attempt = 0; attempt < retries.count; attempt++) {
      if (attempt > 0) await sleep(retries.pause)
      const [page] = await start.read({ first: 0, count: 1 })
      if (page === undefined || page.every((byte) => byte === 0)) return undefined
      const format = parsePageFormat(page.readUInt32BE(54))
      // The space's id stands in the header of the page and in that of the space.
      if (format !== undefined && page.readUInt32BE(34) === page.readUInt32BE(38)) return format
    }
    throw new Error('it does not begin as a tablespace of MariaDB 10.4 or later does')
  } finally {
    await start.close()
  }
}

async function readWholePage(
  files: PagedFiles,
  pageNumber: number,
  format: PageFormat,
): Promise<Buffer | undefined> {
  for (let attempt = 0; attempt < retries.count; attempt++) {
    if (attempt > 0) await sleep(retries.pause)
    const [page] = await files.read({ first: pageNumber, count: 1 })
    if (page === undefined) return undefined
    if (isWhole(page, pageNumber, format)) return page
  }
  return undefined
}
