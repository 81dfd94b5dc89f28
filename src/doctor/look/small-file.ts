import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs'
import { O_PATH, requireOwnFile } from '../../innodb/read-only-file.ts'

/** Options, tokens, credentials are short; data is not looked through. */
export const longestText = 1024 * 1024

/**
 * The start of a file, up to `limit` bytes, under the same rules as `openForReading`: whoever owns the directory may have put
 * anything there. `accept` may throw why else it is not to be read. Throws the system's error.
 */
export function readSmallFile(
  path: string,
  limit: number = longestText,
  accept: (file: Stats) => void = () => undefined,
): Buffer {
  const entry = lstatSync(path)
  const place = openSync(path, O_PATH)
  try {
    const found = fstatSync(place)
    requireOwnFile(entry, found)
    accept(found)
    return readStart(`/proc/self/fd/${place}`, limit)
  } finally {
    closeSync(place)
  }
}

function readStart(path: string, limit: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(limit)
    let end = 0
    while (end < limit) {
      const read = readSync(file, bytes, end, limit - end, null)
      if (read === 0) break
      end += read
    }
    return bytes.subarray(0, end)
  } finally {
    closeSync(file)
  }
}
