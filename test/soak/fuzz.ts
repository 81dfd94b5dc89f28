import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { fuzz, type Tally } from '../support/fuzz/fuzz.ts'
import { fuzzTarget } from '../support/fuzz/target.ts'

/**
 * `node test/soak/fuzz.ts [SECONDS [SEED]]`: fuzzed requests for a minute. Fails when one is answered with a 5xx or not
 * at all, when the service ends or logs an error, or when its memory is not level: what its heap holds after a garbage
 * collection at the end, divided by what it held after the first quarter of the time, may be at most 1.3. (What the
 * requests made, keys and users, is in it; RSS is shown, but depends on when memory goes back to the system.)
 */
const largestRatio = 1.3

const configSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  maxAttempts: z.number(),
})
const memorySchema = z.object({ heap: z.number(), external: z.number(), rss: z.number() })

const [seconds = 60, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
const child = spawn(
  process.execPath,
  ['--disable-warning=ExperimentalWarning', '--expose-gc', join(import.meta.dirname, 'fuzzed-service.ts')],
  { stdio: ['pipe', 'pipe', 'pipe'] },
)
const ended = once(child, 'close')
const logged = text(child.stderr)
const lines = createInterface(child.stdout)[Symbol.asyncIterator]()

const target = await fuzzTarget(configSchema.parse(await nextLine()))
say(`fuzzing for ${seconds} s with seed ${seed}`)
const first = await fuzzFor(seconds / 4, seed)
const before = await memory()
const rest = await fuzzFor((seconds * 3) / 4, seed + 1)
const after = await memory()
child.stdin.end()
await ended

const requests = sum(first) + sum(rest)
const ratio = after.heap / before.heap
say(`${requests} requests; answers: ${summary([first, rest])}`)
say(
  `heap after collection ${mebibytes(before.heap)} → ${mebibytes(after.heap)} MiB, ratio ${ratio.toFixed(2)}`,
)
say(`resident ${mebibytes(before.rss)} → ${mebibytes(after.rss)} MiB`)
const errors = await logged
if (errors !== '') throw new Error(`the service logged: ${errors.slice(0, 5000)}`)
if (child.exitCode !== 0) throw new Error(`the service ended with ${String(child.exitCode)}`)
if (ratio > largestRatio) throw new Error(`memory is not level: ratio ${ratio.toFixed(2)} > ${largestRatio}`)

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function fuzzFor(duration: number, runSeed: number): Promise<Tally> {
  const end = performance.now() + duration * 1000
  return await fuzz({ ...target, seed: runSeed, until: () => performance.now() > end })
}

async function memory(): Promise<z.infer<typeof memorySchema>> {
  // Connections that were closed are let go of first.
  await setTimeout(500)
  child.stdin.write('memory\n')
  return memorySchema.parse(await nextLine())
}

async function nextLine(): Promise<unknown> {
  const { value, done } = await lines.next()
  if (done === true) throw new Error(`the service ended: ${await logged}`)
  return JSON.parse(value)
}

function sum(tally: Tally): number {
  return [...tally.values()].reduce((total, one) => total + one, 0)
}

/** How often each kind of answer came, whatever the operation. */
function summary(tallies: readonly Tally[]): string {
  const kinds = new Map<string, number>()
  for (const [what, times] of tallies.flatMap((tally) => [...tally])) {
    const kind = what.startsWith('raw') ? what : what.replace(/^\w+ /, '')
    kinds.set(kind, (kinds.get(kind) ?? 0) + times)
  }
  return [...kinds]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ')
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
