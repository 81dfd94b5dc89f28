import { constants, existsSync, renameSync, statSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StrongroomError, systemCode } from '../../errors.ts'
import { syncDirectory } from '../durable-file.ts'

/**
 * The file of the audit trail, and the knowledge of what must be in it: it is this process's alone, and only ever
 * grows. A write to a file that was moved or removed still succeeds, so before and after each one the name is looked
 * up, and must lead to the file that is open, in the size that it was left with.
 */
export class TrailFile {
  readonly #path: string
  readonly #file: FileHandle
  readonly #identity: string
  /** Whether the name that leads here is known to be on disk. */
  #nameIsDurable = true
  /** Bytes that are known to be on disk; what lies behind them is a torn write. */
  #durableSize: bigint
  /** How far a write under way, or one that failed, may have come. */
  #reach: bigint

  private constructor(path: string, file: FileHandle, opened: { identity: string; size: bigint }) {
    this.#path = path
    this.#file = file
    this.#identity = opened.identity
    this.#durableSize = opened.size
    this.#reach = opened.size
  }

  /** Opens the file, or makes it, mode 0600. `onTorn` is told how long a torn last line was, which is removed. */
  static async open(path: string, onTorn: (bytes: number) => void): Promise<TrailFile> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      syncDirectory(dirname(path))
      const status = await file.stat({ bigint: true })
      const size = Number(status.size)
      const whole = await sizeOfWholeLines(file, size)
      if (whole < size) {
        await file.truncate(whole)
        await file.datasync()
        onTorn(size - whole)
      }
      return new TrailFile(path, file, { identity: identity(status), size: BigInt(whole) })
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Makes the file that is to come after this one, under another name as yet. */
  async prepareNext(): Promise<TrailFile> {
    const nextPath = this.#nextPath()
    await rm(nextPath, { force: true })
    const file = await open(nextPath, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      const status = await file.stat({ bigint: true })
      const next = new TrailFile(this.#path, file, { identity: identity(status), size: 0n })
      next.#nameIsDurable = false
      return next
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * In one turn gives this file the name `finishedPath` and the next one this one's name. A crash in between leaves no
   * file of this name, and no record in the next.
   */
  giveWay(finishedPath: string): void {
    if (existsSync(finishedPath))
      throw this.#broken(`cannot be rotated: ${finishedPath} exists`, 'move it away')
    renameSync(this.#path, finishedPath)
    try {
      renameSync(this.#nextPath(), this.#path)
    } catch (error) {
      renameSync(finishedPath, this.#path)
      throw error
    }
  }

  #nextPath(): string {
    return `${this.#path}.next`
  }

  /** The bytes that are on disk. */
  get size(): number {
    return Number(this.#durableSize)
  }

  /** Resolves when the bytes are on disk, in the file that the path leads to. */
  async append(bytes: Buffer): Promise<void> {
    this.requireReachable()
    if (!this.#nameIsDurable) syncDirectory(dirname(this.#path))
    this.#nameIsDurable = true
    const end = this.#durableSize + BigInt(bytes.length)
    if (end > this.#reach) this.#reach = end
    // Always from the end of what is durable: a torn write is written over, never left between two records.
    let written = 0
    while (written < bytes.length) {
      const at = Number(this.#durableSize) + written
      written += (await this.#file.write(bytes, written, bytes.length - written, at)).bytesWritten
    }
    await this.#file.datasync()
    this.requireReachable()
    this.#durableSize = end
    this.#reach = end
  }

  /** Throws when the path does not lead to the file that is open, or others have written to it. Takes microseconds. */
  requireReachable(): void {
    const status = this.#lookUp()
    if (status === undefined || identity(status) !== this.#identity) {
      throw this.#broken('was moved, removed or replaced', 'put it back')
    }
    if (status.size < this.#durableSize) throw this.#broken('was cut short', 'bring it back whole')
    if (status.size > this.#reach) {
      throw this.#broken('was written to by somebody else', 'remove what is not ours from its end')
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  #lookUp(): { dev: bigint; ino: bigint; size: bigint } | undefined {
    try {
      return statSync(this.#path, { bigint: true })
    } catch (error) {
      throw this.#broken(`cannot be reached (${systemCode(error) ?? 'no reason given'})`, 'put it back')
    }
  }

  #broken(what: string, whatToDo: string): StrongroomError {
    return new StrongroomError(
      'SR_KMS_AUDIT_TRAIL',
      `the audit trail ${this.#path} ${what} while the service runs: stop the service, ${whatToDo}, start it again`,
    )
  }
}

function identity({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${String(dev)}:${String(ino)}`
}

/** The offset after the last line end; reads backwards, since a trail may be large. */
async function sizeOfWholeLines(file: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(65_536)
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - block.length)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    const lineEnd = block.subarray(0, bytesRead).lastIndexOf(0x0a)
    if (lineEnd >= 0) return start + lineEnd + 1
    end = start
  }
  return 0
}
