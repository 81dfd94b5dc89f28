import { open, readFile, rename } from 'node:fs/promises'
import { z } from 'zod'
import { StrongroomError, systemCode } from '../../../errors.ts'

const stored = z.object({ forwarded: z.int().nonnegative() })

/** How far a trail was forwarded: the number of a record, in a file. */
export class Cursor {
  readonly #path: string
  #saved: number

  private constructor(path: string, saved: number) {
    this.#path = path
    this.#saved = saved
  }

  /** Without a file nothing was forwarded yet. */
  static async open(path: string): Promise<Cursor> {
    try {
      return new Cursor(path, stored.parse(JSON.parse(await readFile(path, 'utf8'))).forwarded)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return new Cursor(path, 0)
      throw new StrongroomError(
        'SR_KMS_AUDIT_TRAIL',
        `cannot read ${path}: it says how far the audit trail was forwarded; remove it, and all records that there are ` +
          'will be sent (again)',
        { cause: error },
      )
    }
  }

  /** The last record that is known, on disk, to have arrived. */
  get saved(): number {
    return this.#saved
  }

  /** Durable when it resolves. */
  async save(forwarded: number): Promise<void> {
    if (forwarded === this.#saved) return
    const fresh = `${this.#path}.new`
    const file = await open(fresh, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify({ forwarded })}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(fresh, this.#path)
    this.#saved = forwarded
  }
}
