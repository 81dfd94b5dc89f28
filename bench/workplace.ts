import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What one benchmark makes and starts: a scratch directory, and processes that are ended with it, the last first. */
export class Workplace {
  readonly directory = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
  readonly #endings: (() => Promise<void>)[] = []

  /** A folder that is there only for this. */
  folder(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { mode: 0o700 })
    return path
  }

  atEnd(act: () => Promise<void>): void {
    this.#endings.unshift(act)
  }

  async clear(): Promise<void> {
    try {
      for (const end of this.#endings.splice(0)) await end()
    } finally {
      rmSync(this.directory, { recursive: true, force: true })
    }
  }
}
