import { open, stat } from 'node:fs/promises'
import { systemCode } from '../errors.ts'

/** The last `[ERROR]` lines that a server wrote to its error log after an offset, which is where it began. */
export async function errorsInLog(file: string, { from = 0, limit = 8 } = {}): Promise<string[]> {
  const lines = (await readFrom(file, from)).split('\n').filter((line) => line.includes('[ERROR]'))
  return lines.slice(-limit).map(withoutTime)
}

/** How long the error log is now: the offset at which the next server's lines begin. */
export async function lengthOfLog(file: string): Promise<number> {
  return (await stat(file)).size
}

// A failing server says it all in its last words; a log that grew large is not read whole.
const longestTail = 256 * 1024

async function readFrom(file: string, from: number): Promise<string> {
  try {
    await using handle = await open(file)
    const { size } = await handle.stat()
    const start = Math.max(from, size - longestTail)
    const buffer = Buffer.alloc(Math.max(0, size - start))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}

function withoutTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\d +\d?\d:\d\d:\d\d \d+ /, '')
}
