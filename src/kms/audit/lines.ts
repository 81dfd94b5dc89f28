import type { FileHandle } from 'node:fs/promises'

const blockLength = 262_144
/** No record is longer by far; a file that is not ours may have no line end for gigabytes. */
const longestLine = 8 * 1024 * 1024

export interface Line {
  /** Without the line end. */
  readonly bytes: Buffer
  /** Where it begins in the file. */
  readonly offset: number
  /** False for what comes after the last line end. */
  readonly complete: boolean
}

/** The lines from `start` up to `end` (the end of the file when left out), a block's worth at a time. */
export async function* linesForwards(
  file: FileHandle,
  { start = 0, end = Number.POSITIVE_INFINITY }: { start?: number; end?: number } = {},
): AsyncGenerator<readonly Line[]> {
  let rest = Buffer.alloc(0)
  let offset = start
  for (let at = start; at < end;) {
    const block = Buffer.alloc(Math.min(blockLength, end - at))
    const { bytesRead } = await file.read(block, 0, block.length, at)
    if (bytesRead === 0) break
    at += bytesRead
    rest = Buffer.concat([rest, block.subarray(0, bytesRead)])
    const lines: Line[] = []
    let from = 0
    for (let to = rest.indexOf(0x0a); to >= 0; to = rest.indexOf(0x0a, from)) {
      lines.push({ bytes: rest.subarray(from, to), offset: offset + from, complete: true })
      from = to + 1
    }
    if (rest.length - from > longestLine) {
      lines.push({ bytes: rest.subarray(from), offset: offset + from, complete: true })
      from = rest.length
    }
    offset += from
    rest = rest.subarray(from)
    if (lines.length > 0) yield lines
  }
  if (rest.length > 0) yield [{ bytes: rest, offset, complete: false }]
}

/** The complete lines that end at or before `end`, the last one first, a block's worth at a time. */
export async function* linesBackwards(file: FileHandle, end: number): AsyncGenerator<readonly Line[]> {
  // What was read and belongs to a line whose beginning was not read yet.
  let rest = Buffer.alloc(0)
  for (let at = end; at > 0;) {
    const start = Math.max(0, at - blockLength)
    const block = Buffer.alloc(at - start)
    await readFully(file, block, start)
    const text = Buffer.concat([block, rest])
    const lines: Line[] = []
    let to = text.length
    for (let from = lineStart(text, to); from > 0 || start === 0; from = lineStart(text, to)) {
      if (text[to - 1] === 0x0a && to > from) {
        lines.push({ bytes: text.subarray(from, to - 1), offset: start + from, complete: true })
      }
      to = from
      if (from === 0) break
    }
    rest = text.subarray(0, to)
    if (rest.length > longestLine)
      throw new Error(`a line of the audit trail has more than ${longestLine} bytes`)
    at = start
    if (lines.length > 0) yield lines
  }
}

/** The first line of a file; undefined when it has none. */
export async function firstLineOf(file: FileHandle): Promise<Buffer | undefined> {
  for await (const lines of linesForwards(file)) return lines[0]?.bytes
  return undefined
}

/** Where the line begins that ends at `to`, with its line end. */
function lineStart(text: Buffer, to: number): number {
  return to < 2 ? 0 : text.lastIndexOf(0x0a, to - 2) + 1
}

async function readFully(file: FileHandle, into: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw new Error('the audit trail became shorter while it was read')
    done += bytesRead
  }
}
