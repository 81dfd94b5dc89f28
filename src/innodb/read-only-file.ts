import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { systemCode } from '../errors.ts'

/**
 * Opens a file that a server may be writing: for reading only, and without a trace in its access time where the system
 * lets us. What merely looks like a file must not block us (a FIFO). Throws the system's error.
 */
export async function openForReading(path: string): Promise<FileHandle> {
  const file = await openWithoutTrace(path)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new Error('it is no regular file')
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
