/** What the header of an Aria index file (.MAI) says of the table's two files. */
export interface AriaTable {
  readonly encrypted: boolean
  /** Only tables whose rows lie in pages (ROW_FORMAT=PAGE) can be encrypted. */
  readonly rowsInPages: boolean
  /** Its changes are written to Aria's log, which is never encrypted. */
  readonly transactional: boolean
  readonly blockSize: number
  /** Where the pages of the index file begin. */
  readonly indexStart: number
}

/** Persistent tables are encrypted with key 1 (ma_crypt.c, get_encryption_key_id). */
export const ariaKeyId = 1

/** As much of a file as `readAriaTable` wants to see. */
export const ariaHeaderLength = 1024

const magic = Buffer.from([0xfe, 0xfe, 0x09])
const pageRecords = 3
const encryptedOption = 1

/** Numbers have the high byte first. undefined: it is no Aria table, or one that is just being made. */
export function readAriaTable(header: Buffer): AriaTable | undefined {
  if (header.length < 24 || !header.subarray(0, magic.length).equals(magic)) return undefined
  // Behind the state of the table, the length of which is not the same everywhere (ma_open.c, _ma_base_info_write).
  const base = header.subarray(header.readUInt16BE(12))
  if (base.length < 107) return undefined
  const blockSize = base.readUInt16BE(100)
  if (blockSize < 1024 || blockSize % 1024 !== 0) return undefined
  return {
    encrypted: (base.readUInt16BE(90) & encryptedOption) !== 0,
    rowsInPages: header.readUInt8(22) === pageRecords,
    transactional: base.readUInt8(106) !== 0,
    blockSize,
    indexStart: Number(base.readBigUInt64BE(16)),
  }
}

/**
 * The key version of a page of an encrypted table's data file (.MAD); undefined for pages without one: those that say what is free, and
 * those that are free.
 */
export function keyVersionOfDataPage(page: Buffer, pageNumber: number): number | undefined {
  if (pageNumber % pagesOfBitmap(page.length) === 0) return undefined
  switch (page.readUInt8(7) & 7) {
    case pageTypes.head:
    case pageTypes.tail:
      return page.readUInt32LE(12)
    case pageTypes.blob:
      return page.readUInt32LE(8)
    default:
      return undefined
  }
}

const pageTypes = { head: 1, tail: 2, blob: 3 } as const

/** A page of bits, three for each page, stands before the pages that it describes (ma_bitmap.c). */
function pagesOfBitmap(blockSize: number): number {
  return Math.floor((blockSize - 4) / 6) * 16 + 1
}

/** The same of a page of its index file. */
export function keyVersionOfIndexPage(page: Buffer, { transactional }: AriaTable): number | undefined {
  // LSN, with transactions a transaction id, key version, number of the index, flags, bytes used.
  const at = transactional ? 13 : 7
  const isFree = page.readUInt8(at + 4) === 255
  return isFree || page.readUInt16BE(at + 6) === 0 ? undefined : page.readUInt32LE(at)
}
