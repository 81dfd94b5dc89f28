import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { frameVectors } from '../test/support/frame-vectors.ts'
import { compile, sanitizing } from './build-plugin.ts'

/**
 * `node scripts/fuzz-plugin.ts [--seconds 60] [--seed N] [--replay SEED:INPUT] [--self-test overread|secret]
 * [--sanitizer address,undefined|thread]`: sends what no agent sends to the plugin's connection (plugin/fuzz.c), with gcc's
 * sanitizers, and ends with another status than 0 at the first fault. A self test makes one, which has to be found.
 */

const text = { type: 'string' } as const
const options = { seconds: text, seed: text, replay: text, 'self-test': text, sanitizer: text }
const { sanitizer, ...chosen } = parseArgs({ options }).values

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-fuzz-'))
try {
  compile([...sanitizing(sanitizer), 'fuzz.c', '-o', join(scratch, 'fuzz'), '-pthread'])
  const args = Object.entries({ seed: String(randomInt(2 ** 32)), ...chosen })
  const run = spawnSync(
    './fuzz',
    [...args.flatMap(([name, value]) => [`--${name}`, value]), ...writeSeeds(scratch)],
    {
      cwd: scratch,
      stdio: 'inherit',
    },
  )
  process.exitCode = run.status ?? 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Every frame that an agent sends or must not send, behind the four bytes that choose the state it finds. */
function writeSeeds(directory: string): string[] {
  const { good, malformed } = frameVectors()
  const frames = [...good, ...malformed].filter(({ from }) => from === 'agent')
  return frames.map(({ frame }, index) => {
    const file = join(directory, `seed-${index}`)
    writeFileSync(file, Buffer.from(`01000000${frame}`, 'hex'))
    return file
  })
}
