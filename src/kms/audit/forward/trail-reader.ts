import type { FileHandle } from 'node:fs/promises'
import type { Durable } from '../audit-trail.ts'
import { linkOf } from '../chain.ts'
import { linesForwards } from '../lines.ts'
import { finishedSegments, openSegment } from '../segments.ts'

export interface Batch {
  /** Without line ends. Empty: there is nothing more on disk. */
  readonly lines: readonly Buffer[]
  /** The number of the last record in it. */
  readonly last: number
}

interface OpenFile {
  readonly handle: FileHandle
  readonly first: number
  offset: number
}

/** Reads the records of a trail that are on disk, in their order, while they are written. */
export class TrailReader {
  readonly #path: string
  readonly #durable: () => Durable
  #last: number
  #file: OpenFile | undefined

  /** Begins after the record `last`. */
  constructor(path: string, durable: () => Durable, last: number) {
    this.#path = path
    this.#durable = durable
    this.#last = last
  }

  /** Some of the next records, of about `largest` bytes at most, but one at least if there is one. */
  async next(largest: number): Promise<Batch> {
    while (this.#last < this.#durable().last.sequence) {
      this.#file ??= await this.#openNext()
      if (this.#file === undefined) break
      const lines = await this.#read(this.#file, largest)
      if (lines.length > 0) return { lines, last: this.#last }
      if (this.#file.first === this.#durable().first) break
      await this.#leave(this.#file)
    }
    return { lines: [], last: this.#last }
  }

  async close(): Promise<void> {
    await this.#file?.handle.close()
    this.#file = undefined
  }

  async #read(file: OpenFile, largest: number): Promise<Buffer[]> {
    const taken: Buffer[] = []
    let size = 0
    const durable = this.#durable()
    const end = file.first === durable.first ? durable.size : (await file.handle.stat()).size
    for await (const lines of linesForwards(file.handle, { start: file.offset, end })) {
      for (const { bytes, offset, complete } of lines) {
        if (!complete || (taken.length > 0 && size + bytes.length > largest)) return taken
        file.offset = offset + bytes.length + 1
        const link = linkOf(bytes)
        if (link === undefined || link.sequence <= this.#last) continue
        taken.push(bytes)
        size += bytes.length
        this.#last = link.sequence
      }
    }
    return taken
  }

  async #leave(file: OpenFile): Promise<void> {
    await file.handle.close()
    this.#file = undefined
    const next = this.#numbers().find((first) => first > file.first)
    // The numbers of records that are in no file are passed over.
    if (next !== undefined) this.#last = Math.max(this.#last, next - 1)
  }

  /** The file with the record after the last one; where that is gone, the one with the next there is. */
  async #openNext(): Promise<OpenFile | undefined> {
    const numbers = this.#numbers()
    const first = numbers.findLast((number) => number <= this.#last + 1) ?? numbers[0]
    if (first === undefined) return undefined
    const handle = await openSegment(this.#path, first, () => this.#durable().first)
    return { handle, first, offset: 0 }
  }

  /** Of the first records of all files. */
  #numbers(): number[] {
    const finished = finishedSegments(this.#path).map(({ first }) => first)
    return [...finished.filter((first) => first > 0), this.#durable().first]
  }
}
