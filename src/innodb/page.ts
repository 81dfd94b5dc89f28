import type { PageFormat } from './page-format.ts'

/** The types of pages that matter here (fil0fil.h, FIL_PAGE_TYPE). */
export const pageTypes = {
  transactionSystem: 7,
  spaceHeader: 8,
  extentDescriptors: 9,
  spatialIndex: 17854,
  compressed: 34354,
} as const

export interface PageHeader {
  readonly type: number
  /** Of the data key that the page is encrypted with; 0: it is in the clear. */
  readonly keyVersion: number
}

/** Reads what stands in the first 38 bytes, which are never torn: a disk writes them as one. */
export function pageHeader(page: Buffer, { fullCrc32 }: PageFormat): PageHeader {
  const type = page.readUInt16BE(24)
  if (fullCrc32) return { type, keyVersion: page.readUInt32BE(0) }
  // There these two types have something else where the key version is, and are never encrypted.
  const isPlain = type === pageTypes.spatialIndex || type === pageTypes.compressed
  return { type, keyVersion: isPlain ? 0 : page.readUInt32BE(26) }
}

/** A page of a spatial index in the old format, which has no place there for a key version. */
export function isSpatial({ type }: PageHeader, { fullCrc32 }: PageFormat): boolean {
  return !fullCrc32 && type === pageTypes.spatialIndex
}

/** Nothing was written there yet, or it was overwritten with zeros when it was freed. */
export function isEmpty(page: Buffer): boolean {
  return (
    page.readUInt32BE(4) === 0 && page.readUInt16BE(24) === 0 && page.equals(zeros.subarray(0, page.length))
  )
}

/**
 * Pages that no server encrypts: the one that the encryption of the tablespace is noted on, those that say which pages are in use,
 * and the system tablespace's page 5 (buf0flu.cc, buf_page_encrypt). No rows are on them.
 */
export function isNeverEncrypted({ type }: PageHeader, pageNumber: number, spaceId: number): boolean {
  if (pageNumber === 0) return true
  if (type === pageTypes.spaceHeader || type === pageTypes.extentDescriptors) return true
  return spaceId === 0 && pageNumber === transactionSystemPage && type === pageTypes.transactionSystem
}

/** In the system tablespace. */
export const transactionSystemPage = 5

/** page_compressed in the full_crc32 format: the lower bits of such a type are the length, in units of 256 bytes. */
export function isFullCrc32Compressed(type: number): boolean {
  return (type & 0x8000) !== 0
}

const zeros = Buffer.alloc(65536)
