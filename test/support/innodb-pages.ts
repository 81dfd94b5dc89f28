import { crc32c } from '../../src/innodb/checksum.ts'
import { extentSize, type PageFormat } from '../../src/innodb/page-format.ts'

/** Pages of tablespaces as a server writes them, as far as they can be read without keys. */

export const formats = {
  full: { flags: 0x15, format: { pageSize: 16384, physicalSize: 16384, fullCrc32: true } },
  full4: { flags: 0x13, format: { pageSize: 4096, physicalSize: 4096, fullCrc32: true } },
  old: { flags: 0, format: { pageSize: 16384, physicalSize: 16384, fullCrc32: false } },
  compressed: { flags: 0x29, format: { pageSize: 16384, physicalSize: 8192, fullCrc32: false } },
} as const satisfies Record<string, { flags: number; format: PageFormat }>

export interface PageToMake {
  readonly number: number
  readonly type?: number
  readonly keyVersion?: number
  readonly spaceId?: number
  /** Fills the page behind its header. */
  readonly content?: Buffer
}

const indexPage = 17855

export function makePage(format: PageFormat, page: PageToMake): Buffer {
  const { number, type = indexPage, keyVersion = 0, spaceId = 7, content } = page
  const bytes = Buffer.alloc(format.physicalSize, content ?? 'a row ')
  bytes.fill(0, 0, 38)
  bytes.writeUInt32BE(number, 4)
  bytes.writeBigUInt64BE(4711n, 16)
  bytes.writeUInt16BE(type, 24)
  bytes.writeUInt32BE(spaceId, 34)
  if (format.fullCrc32) {
    bytes.writeUInt32BE(keyVersion, 0)
    return seal(bytes, format)
  }
  bytes.writeUInt32BE(keyVersion, 26)
  return seal(bytes, format)
}

/** Gives a page the checksums that belong to its content. */
export function seal(page: Buffer, format: PageFormat): Buffer {
  if (format.fullCrc32) {
    page.writeUInt32BE(crc32c(page.subarray(0, page.length - 4)), page.length - 4)
    return page
  }
  page.writeUInt32BE(page.readUInt32BE(20), page.length - 4)
  const isEncrypted = page.readUInt32BE(26) !== 0
  page.writeUInt32BE(oldChecksum(page, format), isEncrypted ? 30 : 0)
  return page
}

function oldChecksum(page: Buffer, { pageSize, physicalSize }: PageFormat): number {
  const parts =
    pageSize === physicalSize
      ? [page.subarray(4, 26), page.subarray(38, page.length - 8)]
      : [page.subarray(4, 16), page.subarray(24, 26), page.subarray(34)]
  return parts.reduce((sum, part) => sum ^ crc32c(part), 0) >>> 0
}

export interface FirstPageToMake {
  readonly spaceId?: number
  readonly cryptData?: {
    readonly type: number
    readonly keyId: number
    readonly minKeyVersion: number
    readonly wish: number
  }
  /** Pages of the first extents that are free. */
  readonly free?: readonly number[]
  /** Extents that are described. */
  readonly extents?: number
}

export function makeFirstPage(
  { flags, format }: { flags: number; format: PageFormat },
  { spaceId = 7, cryptData, free = [], extents = 1 }: FirstPageToMake,
): Buffer {
  const page = makePage(format, { number: 0, type: 8, spaceId, content: Buffer.alloc(1) })
  page.writeUInt32BE(spaceId, 38)
  page.writeUInt32BE(flags, 54)
  const extent = extentSize(format)
  const descriptor = 24 + (2 * extent) / 8
  const inUse = 4
  for (let at = 0; at < extents; at++) page.writeUInt32BE(inUse, 150 + at * descriptor + 20)
  for (const number of free) {
    const bit = (number % extent) * 2
    const at = 150 + Math.floor(number / extent) * descriptor + 24 + (bit >>> 3)
    page.writeUInt8(page.readUInt8(at) | (1 << (bit & 7)), at)
  }
  if (cryptData !== undefined) {
    const at = 150 + descriptor * (format.physicalSize / extent) + 38
    page.write('s\x0e\x0cREt', at, 'latin1')
    page.writeUInt8(cryptData.type, at + 6)
    page.writeUInt8(16, at + 7)
    page.writeUInt32BE(cryptData.minKeyVersion, at + 24)
    page.writeUInt32BE(cryptData.keyId, at + 28)
    page.writeUInt8(cryptData.wish, at + 32)
  }
  return seal(page, format)
}
