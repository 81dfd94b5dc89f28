import { extentSize, type PageFormat } from './page-format.ts'

/**
 * A page that describes extents stands before each `physicalSize` pages: an array of descriptors with two bits for each page,
 * of which the first is set while the page is free (fsp0fsp.h).
 */
const descriptorsBegin = 150
const bitmapInDescriptor = 24
const stateInDescriptor = 20

/** The number of the page that tells whether a page is in use. */
export function descriptorPageOf(pageNumber: number, { physicalSize }: PageFormat): number {
  return pageNumber - (pageNumber % physicalSize)
}

/** Where the descriptors on such a page end. */
export function descriptorsEnd(format: PageFormat): number {
  return descriptorsBegin + descriptorLength(format) * (format.physicalSize / extentSize(format))
}

/** Whether a page belongs to something, by what the descriptor page says. What was freed keeps its former content. */
export function isInUse(pageNumber: number, descriptorPage: Buffer, format: PageFormat): boolean {
  const extent = extentSize(format)
  const within = pageNumber % format.physicalSize
  const at = descriptorsBegin + descriptorLength(format) * Math.floor(within / extent)
  const hasNoState = descriptorPage.readUInt32BE(at + stateInDescriptor) === 0
  if (hasNoState) return false
  const bit = (within % extent) * 2
  const byte = descriptorPage.readUInt8(at + bitmapInDescriptor + (bit >>> 3))
  return ((byte >>> (bit & 7)) & 1) === 0
}

function descriptorLength(format: PageFormat): number {
  return bitmapInDescriptor + Math.ceil((2 * extentSize(format)) / 8)
}
