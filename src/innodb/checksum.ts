import type { PageFormat } from './page-format.ts'
import { isFullCrc32Compressed, pageHeader, pageTypes } from './page.ts'

/** CRC-32C (Castagnoli), as InnoDB uses it. */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

/**
 * Whether a page is as the server wrote it: not torn by our reading it while it was written, and no rubbish. Needs no key, for the
 * server's checksum is that of the encrypted page. Where a page in the clear has no checksum that we know, its number speaks for it.
 */
export function isWhole(page: Buffer, pageNumber: number, format: PageFormat): boolean {
  if (page.readUInt32BE(4) !== pageNumber) return false
  if (format.fullCrc32) return isWholeFullCrc32(page)
  return pageHeader(page, format).keyVersion === 0
    ? isWholePlain(page, format)
    : isEncryptedOld(page, format) || page.readUInt32BE(0) === oldChecksum(page, format)
}

/**
 * The key version of a page that is whole; 0: it is in the clear. Its header alone does not tell where very old servers wrote: they left
 * something in that field of pages that were never encrypted.
 */
export function keyVersionOf(page: Buffer, format: PageFormat): number {
  const { keyVersion } = pageHeader(page, format)
  return keyVersion === 0 || format.fullCrc32 || isEncryptedOld(page, format) ? keyVersion : 0
}

/** A page that was encrypted has a checksum of its encrypted bytes behind its key version. */
function isEncryptedOld(page: Buffer, format: PageFormat): boolean {
  return page.readUInt32BE(30) === oldChecksum(page, format)
}

function isWholeFullCrc32(page: Buffer): boolean {
  const type = page.readUInt16BE(24)
  const length = isFullCrc32Compressed(type) ? (type & 0x7fff) << 8 : page.length
  if (length <= 38 || length > page.length) return false
  return page.readUInt32BE(length - 4) === crc32c(page.subarray(0, length - 4))
}

function isWholePlain(page: Buffer, format: PageFormat): boolean {
  const isCompressed =
    format.physicalSize < format.pageSize || pageHeader(page, format).type === pageTypes.compressed
  if (isCompressed) return true
  // The low half of the LSN stands at both ends of a page, whatever innodb_checksum_algorithm it was written with.
  return page.readUInt32BE(20) === page.readUInt32BE(page.length - 4)
}

/** The crc32 of innodb_checksum_algorithm: without the fields that change by themselves. */
function oldChecksum(page: Buffer, format: PageFormat): number {
  if (format.physicalSize === format.pageSize)
    return (crc32c(page.subarray(4, 26)) ^ crc32c(page.subarray(38, page.length - 8))) >>> 0
  const parts = [page.subarray(4, 16), page.subarray(24, 26), page.subarray(34)]
  return parts.reduce((sum, part) => sum ^ crc32c(part), 0) >>> 0
}

const polynomial = 0x82f63b78
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial
  return crc
})
