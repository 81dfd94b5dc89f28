import { keyVersionOf } from './checksum.ts'
import { descriptorPageOf, isInUse } from './extent-map.ts'
import { isEmpty, isNeverEncrypted, isSpatial, pageHeader } from './page.ts'
import type { PageRun } from './paged-files.ts'
import { pageRuns } from './page-runs.ts'
import type { Tablespace } from './tablespace.ts'
import { VersionCount } from './version-count.ts'

/** What the headers of a tablespace's pages say. */
export interface TablespaceSurvey {
  readonly pages: number
  /** Fewer where only a sample was read. */
  readonly pagesRead: number
  /** Pages in use under each key version. */
  readonly encrypted: ReadonlyMap<number, number>
  /** Pages in use in the clear that a server could encrypt. */
  readonly plain: number
  /** Those of them that belong to spatial indexes, which the old format leaves in the clear. */
  readonly plainSpatial: number
  /** Pages that were freed in the clear: their rows are still to be read there, and no encryption thread comes by. */
  readonly freedPlain: number
  /** Copies in the doublewrite buffer in the clear, of any tablespace's pages. */
  readonly copiedPlain: number
  /** Pages that could not be read whole: damaged, or of a kind that is not known. */
  readonly unclear: number
}

/** Bytes that are read at once. */
const chunk = 1024 * 1024

/** Beyond so many, pages that look torn are not read again: a file that is damaged would take all day. */
const unclearLookedAtAgain = 20

/**
 * Reads `wanted` pages, all or an evenly spread sample, and counts. Only the first page of each kind is held against its checksum: what
 * the header of a page says was written, even where the rest of it is torn.
 */
export async function surveyTablespace(tablespace: Tablespace, wanted: number): Promise<TablespaceSurvey> {
  const buffer = Buffer.alloc(chunk)
  const count = new PageCount(tablespace)
  for (const run of pageRuns(tablespace.pages, wanted, chunk / tablespace.format.physicalSize))
    await count.add(run, buffer)
  return count.result()
}

class PageCount {
  readonly #tablespace: Tablespace
  readonly #encrypted = new VersionCount()
  readonly #plain = { used: 0, freed: 0, copied: 0, spatial: 0 }
  #pagesRead = 0
  #unclear = 0
  /** Kinds of which a page was seen whole. */
  readonly #proven = new Set<string>()
  #descriptors: { readonly pageNumber: number; readonly page: Buffer | undefined } | undefined

  constructor(tablespace: Tablespace) {
    this.#tablespace = tablespace
  }

  async add(run: PageRun, buffer: Buffer): Promise<void> {
    const pages = await this.#tablespace.read(run, buffer)
    const descriptors = await this.#descriptorsOf(run.first)
    this.#pagesRead += pages.length
    for (const [at, page] of pages.entries()) await this.#count(page, run.first + at, descriptors)
  }

  result(): TablespaceSurvey {
    return {
      pages: this.#tablespace.pages,
      pagesRead: this.#pagesRead,
      encrypted: this.#encrypted.pages,
      plain: this.#plain.used,
      plainSpatial: this.#plain.spatial,
      freedPlain: this.#plain.freed,
      copiedPlain: this.#plain.copied,
      unclear: this.#unclear,
    }
  }

  async #count(page: Buffer, pageNumber: number, descriptors: Buffer | undefined): Promise<void> {
    const { format, spaceId } = this.#tablespace
    if (isEmpty(page)) return
    const header = pageHeader(page, format)
    if (this.#tablespace.isDoublewrite(pageNumber)) {
      if (this.#tablespace.isPlainCopy(page)) this.#plain.copied++
      return
    }
    if (isNeverEncrypted(header, pageNumber, spaceId)) return
    const use = descriptors === undefined || isInUse(pageNumber, descriptors, format) ? 'used' : 'freed'
    const keyVersion = await this.#provenKeyVersion(header.keyVersion, pageNumber, use)
    if (keyVersion === 0) {
      this.#plain[use]++
      if (use === 'used' && isSpatial(header, format)) this.#plain.spatial++
    } else if (keyVersion === undefined) this.#unclear++
    else if (use === 'used' && !this.#encrypted.add(keyVersion)) this.#unclear++
  }

  /** undefined: the page can't be read whole. */
  async #provenKeyVersion(claimed: number, pageNumber: number, use: string): Promise<number | undefined> {
    if (this.#proven.has(`${use} ${claimed}`)) return claimed
    if (this.#unclear >= unclearLookedAtAgain) return undefined
    const page = await this.#tablespace.readWhole(pageNumber)
    if (page === undefined) return undefined
    const keyVersion = keyVersionOf(page, this.#tablespace.format)
    this.#proven.add(`${use} ${keyVersion}`)
    return keyVersion
  }

  async #descriptorsOf(pageNumber: number): Promise<Buffer | undefined> {
    const wanted = descriptorPageOf(pageNumber, this.#tablespace.format)
    if (this.#descriptors?.pageNumber !== wanted)
      this.#descriptors = { pageNumber: wanted, page: await this.#tablespace.readWhole(wanted) }
    return this.#descriptors.page
  }
}
