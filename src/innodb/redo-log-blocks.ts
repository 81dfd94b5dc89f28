import type { FileHandle } from 'node:fs/promises'
import { crc32c } from './checksum.ts'
import { readBytes } from './read-only-file.ts'

/** A block of the log and of its header, whose last four bytes are a CRC-32C of the others. */
export const blockLength = 512
/** Header, two checkpoints and an unused block. */
const headerLength = 4 * blockLength
const blocksAtOnce = 512

export interface Checkpoint {
  readonly lsn: bigint
  /** Where in the file the record of that LSN is. */
  readonly offset: number
}

/**
 * MariaDB 10.4 to 10.7: the key versions of the blocks that a recovery reads, from the checkpoint until one is not of this round of the
 * log. Of several files only the first is looked at; it is the only one since 10.5.
 */
export async function redoBlockVersions(handle: FileHandle, checkpoint: Checkpoint): Promise<Set<number>> {
  const { size } = await handle.stat()
  const versions = new Set<number>()
  const inAll = Math.floor((size - headerLength) / blockLength)
  let position = checkpoint.offset - (checkpoint.offset % blockLength)
  let number = blockNumber(checkpoint.lsn)
  for (let seen = 0; seen < inAll;) {
    if (position < headerLength || position + blockLength > size) position = headerLength
    const bytes = await readBytes(handle, position, Math.min(blocksAtOnce * blockLength, size - position))
    for (let at = 0; at + blockLength <= bytes.length; at += blockLength) {
      const block = bytes.subarray(at, at + blockLength)
      if (!isBlock(block, number)) return versions
      versions.add(block.readUInt32BE(blockLength - 8))
      number = (number % 0x40000000) + 1
      seen++
    }
    if (bytes.length < blockLength) return versions
    position += bytes.length - (bytes.length % blockLength)
  }
  return versions
}

/** log0log.h, log_block_convert_lsn_to_no. */
function blockNumber(lsn: bigint): number {
  return Number((lsn / 512n) & 0x3fffffffn) + 1
}

/** Its number is in the clear, but for the highest bit, which says that a write began with it. */
function isBlock(block: Buffer, number: number): boolean {
  if ((block.readUInt32BE(0) & 0x7fffffff) !== number) return false
  return hasBlockChecksum(block)
}

export function hasBlockChecksum(block: Buffer): boolean {
  return block.readUInt32BE(blockLength - 4) === crc32c(block.subarray(0, blockLength - 4))
}
