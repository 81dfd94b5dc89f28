import { constants, type Stats } from 'node:fs'
import { access, type FileHandle, lstat, open } from 'node:fs/promises'
import { systemCode } from '../errors.ts'

/** open(2): names a file without opening it, so that a device or a FIFO notices nothing. Node has no name for it. */
export const O_PATH = 0o10000000

/**
 * Opens a file that a server may be writing: for reading only, and without a trace in its access time where the system
 * lets us. We may be root, and the directory another's, who can put anything there at any moment: it must not block us
 * (a FIFO), not do something (a device), and not be a link to what is not its owner's. Throws the system's error.
 */
export async function openForReading(path: string): Promise<FileHandle> {
  // For its error, which has the path in it.
  await access(path, constants.R_OK)
  const entry = await lstat(path)
  const place = await open(path, O_PATH)
  try {
    requireOwnFile(entry, await place.stat())
    return await openWithoutTrace(`/proc/self/fd/${place.fd}`)
  } finally {
    await place.close()
  }
}

/** `entry` is what lies in the directory, `file` what that leads to. Throws why it is not to be read. */
export function requireOwnFile(entry: Stats, file: Stats): void {
  if (!file.isFile()) throw new Error('it is no regular file')
  const isLed = entry.ino !== file.ino || entry.dev !== file.dev
  // Everybody can link to /proc/kmsg, to /etc/shadow; only root's links lead to what is not their owner's.
  if (isLed && entry.uid !== 0 && entry.uid !== file.uid)
    throw new Error('it is a link to a file of another owner')
}

/** The bytes from `position` on: fewer than `length` where the file ends before. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  return await readInto(file, Buffer.alloc(length), position)
}

/** Fills the buffer; gives the part of it that was filled before the file ended. */
export async function readInto(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let end = 0
  while (end < buffer.length) {
    const { bytesRead } = await file.read(buffer, end, buffer.length - end, position + end)
    if (bytesRead === 0) break
    end += bytesRead
  }
  return buffer.subarray(0, end)
}

async function openWithoutTrace(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  try {
    return await open(path, flags | constants.O_NOATIME)
  } catch (error) {
    // Only the file's owner and root may ask for O_NOATIME (open(2)).
    if (systemCode(error) !== 'EPERM') throw error
    return await open(path, flags)
  }
}
