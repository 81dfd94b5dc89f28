import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, type DaemonOptions, startDaemon } from '../src/cli/demo/daemon.ts'

/** What one benchmark makes and starts: a scratch directory, and processes that are ended with it, the last first. */
export class Workplace {
  readonly directory = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
  readonly #endings: (() => Promise<void>)[] = []
  readonly #program: string
  #cleared: Promise<void> | undefined

  /** `program`: the `bin/strongroom` that is measured. */
  constructor(program: string) {
    this.#program = program
  }

  /** A folder that is there only for this. */
  folder(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { mode: 0o700 })
    return path
  }

  atEnd(act: () => Promise<void>): void {
    this.#endings.unshift(act)
  }

  async startDaemon(options: DaemonOptions): Promise<Daemon> {
    const starting = startDaemon({ ...options, program: this.#program })
    // Said before it has started: an interrupt may come first.
    this.atEnd(() =>
      starting.then(
        (daemon) => daemon.stop(),
        () => undefined,
      ),
    )
    return await starting
  }

  async clear(): Promise<void> {
    this.#cleared ??= this.#clear()
    await this.#cleared
  }

  async #clear(): Promise<void> {
    try {
      for (const end of this.#endings) await end()
    } finally {
      rmSync(this.directory, { recursive: true, force: true })
    }
  }
}
