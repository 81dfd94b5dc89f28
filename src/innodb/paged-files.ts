import type { FileHandle } from 'node:fs/promises'
import { openForReading, readInto } from './read-only-file.ts'

/** Pages `first` to `first + count - 1`. */
export interface PageRun {
  readonly first: number
  readonly count: number
}

/** Files that hold one sequence of pages, the next going on where the one before ends. */
export class PagedFiles {
  readonly pageSize: number
  /** As many whole pages as there were when the files were opened; a server may add more. */
  readonly pages: number
  readonly #files: readonly OpenFile[]

  /** Throws the system's error, with the path in it. */
  static async open(paths: readonly string[], pageSize: number): Promise<PagedFiles> {
    const files: OpenFile[] = []
    try {
      for (const path of paths) files.push({ handle: await openForReading(path), pages: 0 })
      return new PagedFiles(await Promise.all(files.map((file) => counted(file, pageSize))), pageSize)
    } catch (error) {
      await closeAll(files)
      throw error
    }
  }

  private constructor(files: readonly OpenFile[], pageSize: number) {
    this.#files = files
    this.pageSize = pageSize
    this.pages = files.reduce((sum, { pages }) => sum + pages, 0)
  }

  /** Whole pages, of which fewer than asked for where the files end or have been cut short meanwhile. */
  async read(
    { first, count }: PageRun,
    buffer: Buffer = Buffer.alloc(count * this.pageSize),
  ): Promise<Buffer[]> {
    const pages: Buffer[] = []
    let begin = 0
    for (const { handle, pages: held } of this.#files) {
      const from = Math.max(first, begin)
      const to = Math.min(first + count, begin + held)
      if (from < to) {
        const part = buffer.subarray((from - first) * this.pageSize, (to - first) * this.pageSize)
        const bytes = await readInto(handle, part, (from - begin) * this.pageSize)
        pages.push(...this.#split(bytes))
        if (bytes.length < part.length) break
      }
      begin += held
    }
    return pages
  }

  async close(): Promise<void> {
    await closeAll(this.#files)
  }

  #split(bytes: Buffer): Buffer[] {
    return Array.from({ length: Math.floor(bytes.length / this.pageSize) }, (_, at) =>
      bytes.subarray(at * this.pageSize, (at + 1) * this.pageSize),
    )
  }
}

interface OpenFile {
  readonly handle: FileHandle
  readonly pages: number
}

async function counted({ handle }: OpenFile, pageSize: number): Promise<OpenFile> {
  return { handle, pages: Math.floor((await handle.stat()).size / pageSize) }
}

async function closeAll(files: readonly OpenFile[]): Promise<void> {
  for (const { handle } of files) await handle.close()
}
