/** How the pages of a tablespace are laid out; it says so itself, in the flags on its first page. */
export interface PageFormat {
  /** The server's innodb_page_size, in bytes. */
  readonly pageSize: number
  /** What a page takes in the file, in bytes: less than `pageSize` with ROW_FORMAT=COMPRESSED. */
  readonly physicalSize: number
  /** The format that MariaDB 10.5 and later give new tablespaces; all of a page but its first 26 bytes is encrypted. */
  readonly fullCrc32: boolean
}

/** Smallest and largest innodb_page_size. */
export const pageSizes = { smallest: 4096, largest: 65536 } as const

/** The size of a page for the fields of FSP_SPACE_FLAGS that hold it as a power of two (fsp0types.h). */
const sizeOf = (exponent: number) => 512 << exponent

/** undefined for flags that MariaDB 10.4 and later do not write. */
export function parsePageFormat(flags: number): PageFormat | undefined {
  return (flags & 0x10) === 0 ? oldFormat(flags) : fullCrc32Format(flags)
}

/** Bits 0 to 3: page size. Bit 4: this format. Bits 5 to 7: algorithm of page compression. */
function fullCrc32Format(flags: number): PageFormat | undefined {
  const exponent = flags & 0xf
  if (flags >>> 8 !== 0 || exponent < 3 || exponent > 7) return undefined
  return { pageSize: sizeOf(exponent), physicalSize: sizeOf(exponent), fullCrc32: true }
}

/** Bits 1 to 4: size of compressed pages. Bits 6 to 9: page size, 0 for 16 KiB. Bit 16: page compression. */
function oldFormat(flags: number): PageFormat | undefined {
  const compressed = (flags >>> 1) & 0xf
  const exponent = (flags >>> 6) & 0xf
  // Bit 10 may be left from MySQL 5.6; the others are reserved.
  if ((flags & ~0x1_07ff) !== 0 || ![0, 3, 4, 6, 7].includes(exponent) || compressed > 5) return undefined
  const pageSize = sizeOf(exponent === 0 ? 5 : exponent)
  const physicalSize = compressed === 0 ? pageSize : sizeOf(compressed)
  return physicalSize > pageSize ? undefined : { pageSize, physicalSize, fullCrc32: false }
}

/** Pages in an extent, the unit in which InnoDB hands out space (fsp0types.h, FSP_EXTENT_SIZE). */
export function extentSize({ pageSize }: PageFormat): number {
  return pageSize <= 16384 ? 1048576 / pageSize : 64
}
