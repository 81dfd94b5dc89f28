import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * Reads a regular file; of one that is longer than `limit` bytes only so much that its reader sees that. What merely
 * looks like a file must neither block us (a FIFO) nor lead us elsewhere (a symbolic link).
 * Throws the system's error, or one that says what the thing is.
 */
export async function readBounded(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new Error('it is no regular file')
    const bytes = Buffer.alloc(Math.min(found.size, limit + 1))
    let end = 0
    while (end < bytes.length) {
      const { bytesRead } = await file.read(bytes, end, bytes.length - end)
      if (bytesRead === 0) break
      end += bytesRead
    }
    return bytes.subarray(0, end)
  } finally {
    await file.close()
  }
}
