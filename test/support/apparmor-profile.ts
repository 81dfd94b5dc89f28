import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const apparmorDirectory = join(import.meta.dirname, '../../deploy/apparmor')

/** Rights by their letters in a profile; `m`: mapped to be run. Their bits are those of apparmor_parser's output. */
const rights = { x: 0x1, w: 0x2, r: 0x4, l: 0x10, k: 0x20, m: 0x40 }
export type Right = keyof typeof rights

/** Whether apparmor_parser takes a profile, and what it says. Nothing is loaded. */
export function parseProfile(file: string): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('apparmor_parser', [...withoutKernel, file], {
    encoding: 'utf8',
  })
  // It says so wherever the kernel can't load profiles.
  const said = (stdout + stderr).replace(/^Cache read\/write disabled: .*\n/gm, '')
  return { code: status, said }
}

/** The file rules of a profile, as apparmor_parser itself reads them: what it includes is in there, and variables have values. */
export class FileRules {
  readonly #rules: readonly { pattern: RegExp; mask: number; denied: number }[]

  constructor(file: string) {
    // The dump goes to stderr.
    const { stderr: said } = spawnSync('apparmor_parser', [...withoutKernel, '--dump=rule-exprs', file], {
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
    })
    const lines = said.matchAll(/^rule: (\/.*|\(.*) {2}-> {2}.* \(0x([0-9a-f]+)\/(0|0x[0-9a-f]+)\)/gm)
    this.#rules = [...lines].map(([, expression = '', mask = '', denied = '']) => ({
      pattern: new RegExp(`^${expression}$`, 's'),
      mask: Number(`0x${mask}`),
      denied: Number(denied),
    }))
  }

  get size(): number {
    return this.#rules.length
  }

  /** Whether the owner of a file has all these rights to it. */
  allow(path: string, wanted: readonly Right[]): boolean {
    const matching = this.#rules.filter(({ pattern }) => pattern.test(path))
    const allowed = matching.reduce((all, { mask, denied }) => all | (mask & ~denied), 0)
    return wanted.every((right) => (allowed & rights[right]) !== 0)
  }
}

const withoutKernel = ['--skip-kernel-load', '--skip-cache', '--quiet']
