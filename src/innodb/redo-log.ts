import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openForReading, readBytes } from './read-only-file.ts'
import { blockLength, hasBlockChecksum, redoBlockVersions } from './redo-log-blocks.ts'

/** The key id of the redo log (log0crypt.cc, LOG_DEFAULT_ENCRYPTION_KEY). */
export const redoLogKeyId = 1

export interface RedoLog {
  readonly file: string
  /** 'empty': the server makes a new one at its next start, as after mariadb-backup --prepare. */
  readonly state: 'encrypted' | 'plain' | 'empty'
  /** The versions of key 1 that the next start asks for. */
  readonly keyVersions: readonly number[]
}

/**
 * Reads the header of the redo log in a directory, as MariaDB 10.4 and later write it. Throws the system's error, or one that says
 * that it is damaged or of a format that is not known.
 */
export async function readRedoLog(directory: string): Promise<RedoLog> {
  const file = join(directory, 'ib_logfile0')
  const handle = await openForReading(file)
  try {
    const start = await readBytes(handle, 0, blockLength)
    if (start.every((byte) => byte === 0)) return { file, state: 'empty', keyVersions: [] }
    const header = await wholeBlock(handle, 0)
    if (header === undefined) throw new Error('its header is damaged')
    const keyVersions = await keyVersionsOf(header, handle)
    return { file, state: keyVersions.length > 0 ? 'encrypted' : 'plain', keyVersions }
  } finally {
    await handle.close()
  }
}

/** The first number of the file. */
const formats = {
  mariadb104: 104,
  mariadb105: 0x50485953,
  mariadb108: 0x50687973,
  /** Of encrypted logs, from 10.11.15, 11.4.9, 11.8.4 and 12.1.2 on. */
  mariadb108Encrypted: 0xf09f979d,
} as const

/** None: it is not encrypted. */
async function keyVersionsOf(header: Buffer, handle: FileHandle): Promise<readonly number[]> {
  const format = header.readUInt32BE(0)
  switch (format) {
    case formats.mariadb108:
    case formats.mariadb108Encrypted:
      return keyVersionsSince108(header)
    case formats.mariadb104:
    case formats.mariadb105:
      return []
    // These two set the highest bit when they are encrypted; those above do not.
    case formats.mariadb104 + 0x80000000:
    case formats.mariadb105 + 0x80000000:
      return await keyVersionsBefore108(handle)
    default:
      throw new Error(`its format, 0x${format.toString(16)}, is not known`)
  }
}

/**
 * The version that was the latest when the log was made, behind the key id (log0crypt.cc, log_crypt_write_header). It stays, across
 * rotations and restarts, until the server makes a new log.
 */
function keyVersionsSince108(header: Buffer): readonly number[] {
  return header.readUInt32BE(48) === redoLogKeyId ? [header.readUInt32BE(52)] : []
}

/** The newer of two checkpoints names a version, and each block from there on its own. */
async function keyVersionsBefore108(handle: FileHandle): Promise<readonly number[]> {
  const checkpoints = [await wholeBlock(handle, blockLength), await wholeBlock(handle, 3 * blockLength)]
  const [latest] = checkpoints
    .filter((block) => block !== undefined)
    .sort((a, b) => Number(b.readBigUInt64BE(0) - a.readBigUInt64BE(0)))
  if (latest === undefined) throw new Error('both of its checkpoints are damaged')
  const checkpoint = { lsn: latest.readBigUInt64BE(8), offset: Number(latest.readBigUInt64BE(16)) }
  const versions = new Set([latest.readUInt32BE(32), ...(await redoBlockVersions(handle, checkpoint))])
  return [...versions].filter((version) => version !== 0).sort((a, b) => a - b)
}

/** undefined: it is damaged. The server may be writing it, so a torn block is read again. */
async function wholeBlock(handle: FileHandle, position: number): Promise<Buffer | undefined> {
  for (let attempt = 0; attempt < 5; attempt++) {
    if (attempt > 0) await sleep(20)
    const block = await readBytes(handle, position, blockLength)
    if (block.length < blockLength) return undefined
    if (hasBlockChecksum(block)) return block
  }
  return undefined
}
