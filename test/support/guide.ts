import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface GuideBlock {
  readonly language: string
  readonly text: string
}

export interface GuideRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface GuideSettings {
  readonly file: string
  /** What stands in place of the guide's paths. */
  readonly paths: ReadonlyMap<string, string>
  readonly environment: Readonly<Record<string, string>>
  /** Shell functions for what the guide's reader has. */
  readonly prelude: string
  readonly cwd: string
  /** Lines that the test does itself: such as those for systemd. */
  readonly acts: readonly (readonly [RegExp, () => Promise<void>])[]
  /** Runs a script of bash on another machine, whose paths are the guide's; without it this one does. */
  readonly elsewhere?: (script: string) => Promise<GuideRun>
}

/** The code blocks of a page of docs/, run section by section as they stand, but for paths. */
export class Guide {
  readonly #settings: GuideSettings
  readonly #sections: ReadonlyMap<string, readonly GuideBlock[]>
  readonly #taken = new Map<string, number>()

  constructor(settings: GuideSettings) {
    this.#settings = settings
    const [, ...sections] = readFileSync(settings.file, 'utf8').split(/^## /m)
    this.#sections = new Map(sections.map((section) => [/^.*/.exec(section)?.[0] ?? '', blocksOf(section)]))
  }

  /** The next block of a section, with our paths. */
  next(section: string, language: string): string {
    const at = this.#taken.get(section) ?? 0
    this.#taken.set(section, at + 1)
    const block = this.#sections.get(section)?.[at]
    assert.equal(block?.language, language, `block ${at + 1} of "${section}"`)
    return this.#placed(block.text)
  }

  /** Runs the next block of a section, which must succeed, and returns what it wrote. */
  async run(section: string): Promise<string> {
    const { acts } = this.#settings
    const output: string[] = []
    const pending: string[] = []
    const flush = async () => {
      const { code, stdout, stderr } = await this.shell(pending.splice(0).join('\n'))
      assert.equal(code, 0, `${stdout}${stderr}`)
      output.push(stdout)
    }
    for (const line of this.next(section, 'sh').split('\n')) {
      const act = acts.find(([pattern]) => pattern.test(line))?.[1]
      if (act === undefined) {
        pending.push(line)
        continue
      }
      await flush()
      await act()
    }
    await flush()
    return output.join('')
  }

  async shell(script: string): Promise<GuideRun> {
    const { environment: env, prelude, cwd, elsewhere } = this.#settings
    const whole = `set -euo pipefail\n${prelude}\n${script}`
    if (elsewhere !== undefined) return await elsewhere(whole)
    return await new Promise((resolve) => {
      execFile('/bin/bash', ['-c', whole], { env, cwd }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      })
    })
  }

  /** Blocks that nothing has run: there should be none. */
  get left(): string[] {
    return [...this.#sections].flatMap(([section, blocks]) =>
      blocks.length > (this.#taken.get(section) ?? 0) ? [section] : [],
    )
  }

  #placed(text: string): string {
    const { paths, elsewhere } = this.#settings
    const placed = text.replace(
      new RegExp([...paths.keys()].join('|'), 'g'),
      (path) => paths.get(path) ?? path,
    )
    if (elsewhere !== undefined) return placed
    // A path of this machine's own that was left over would be written to.
    const outside = [...placed.matchAll(/(?<![\w./-])\/(?!bin|dev\/)[\w.-]+\/\S*/g)].map(([path]) => path)
    for (const path of outside)
      assert.ok(
        [...paths.values()].some((place) => path.startsWith(place)),
        path,
      )
    return placed
  }
}

function blocksOf(section: string): GuideBlock[] {
  return [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}
