import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

/**
 * Runs the checks: `node scripts/test.ts [lint|unit|e2e]`. Lint and unit tests run side by side, the end-to-end tests
 * after them and alone, because they hold promises about time. The last line is always the sum of the tests.
 */

interface Step {
  readonly name: string
  readonly args: readonly string[]
}

interface TestRun extends Step {
  readonly summaryFile: string
}

const countsSchema = z.object({ passed: z.number(), failed: z.number(), skipped: z.number() })
const summaryLineSchema = z.union([
  z.object({ counts: countsSchema }),
  z.object({ skipped: z.string(), file: z.string(), reason: z.string() }),
])

const root = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'strongroom-test-'))
const children = new Set<ChildProcess>()
let ending = false

const lint: Step[] = [
  tool('eslint', 'eslint/bin/eslint.js', '.'),
  tool('tsc', 'typescript/bin/tsc'),
  tool('prettier', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
  tool(
    'depcruise',
    'dependency-cruiser/bin/dependency-cruise.mjs',
    'src',
    '--config',
    '.dependency-cruiser.mjs',
  ),
]
const unit = testRun(
  'unit',
  // Node.js leaves one processor to itself by default: on two that is one file at a time.
  '--test-concurrency=2',
  'src/**/*.test.ts',
  'test/scripts/**/*.test.ts',
  'test/plugin/**/*.test.ts',
  'test/conformance/**/*.test.ts',
)
const e2e = testRun('e2e', '--test-concurrency=3', 'test/e2e/**/*.test.ts')

const groups: Record<string, { steps: readonly Step[]; runs: readonly TestRun[] }[]> = {
  all: [
    { steps: [unit, ...lint], runs: [unit] },
    { steps: [e2e], runs: [e2e] },
  ],
  lint: [{ steps: lint, runs: [] }],
  unit: [{ steps: [unit], runs: [unit] }],
  e2e: [{ steps: [e2e], runs: [e2e] }],
}

process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, endChildren)

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const chosen = args.length > 1 ? undefined : groups[args[0] ?? 'all']
  if (chosen === undefined) {
    console.error('usage: node scripts/test.ts [lint|unit|e2e]')
    return 2
  }
  const failed: string[] = []
  for (const group of chosen) failed.push(...(await runAll(group.steps)))
  const sum = sumOf(chosen.flatMap((group) => group.runs))
  failed.push(...sum.broken)
  for (const line of sum.skippedTests) console.log(`skipped: ${line}`)
  if (failed.length > 0) console.log(`FAILED: ${failed.join(', ')}`)
  if (chosen !== groups['lint'])
    console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
  return failed.length > 0 ? 1 : 0
}

/** Runs steps, as many at a time as there are processors, and returns the names of those that failed. */
async function runAll(steps: readonly Step[]): Promise<string[]> {
  const waiting = [...steps]
  const failed: string[] = []
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined && !ending; step = waiting.shift())
      if (!(await run(step))) failed.push(step.name)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return failed
}

async function run(step: Step): Promise<boolean> {
  console.log(`▶ ${step.name}`)
  const started = performance.now()
  // A process group of its own, so that the end of a step is the end of all that it started.
  const child = spawn(process.execPath, step.args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    // The tests start hundreds of processes of ours: each is half as much work where it need not compile.
    env: { ...process.env, NODE_COMPILE_CACHE: join(scratch, 'compiled') },
  })
  children.add(child)
  const ended = new Promise<boolean>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve(code === 0)
    })
  })
  const [out, err, good] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  children.delete(child)
  process.stdout.write(withNewline(out) + withNewline(err))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${good ? '✔' : '✖'} ${step.name} ${good ? 'passed' : 'failed'} in ${seconds} s`)
  return good
}

function sumOf(runs: readonly TestRun[]) {
  const sum = {
    passed: 0,
    failed: 0,
    skipped: 0,
    skippedTests: new Array<string>(),
    broken: new Array<string>(),
  }
  for (const testRun of runs) {
    const lines = readSummary(testRun.summaryFile)
    const counts = lines.find((line) => 'counts' in line)?.counts
    const executed = counts === undefined ? 0 : counts.passed + counts.failed + counts.skipped
    if (executed === 0) sum.broken.push(`${testRun.name} (ran no test)`)
    sum.passed += counts?.passed ?? 0
    sum.failed += counts?.failed ?? 0
    sum.skipped += counts?.skipped ?? 0
    for (const line of lines)
      if ('reason' in line)
        sum.skippedTests.push(`${relative(root, line.file)}: ${line.skipped}: ${line.reason}`)
  }
  return sum
}

function readSummary(file: string) {
  // A run that died before it could write counts as one without tests.
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => summaryLineSchema.parse(JSON.parse(line)))
}

function endChildren(signal: NodeJS.Signals) {
  ending = true
  for (const child of children) killGroup(child, signal)
  const killHard = () => {
    for (const child of children) killGroup(child, 'SIGKILL')
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  setTimeout(killHard, children.size === 0 ? 0 : 10_000).unref()
  void Promise.all([...children].map((child) => new Promise((resolve) => child.once('close', resolve)))).then(
    killHard,
  )
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch {
    // Gone by itself.
  }
}

function tool(name: string, script: string, ...args: readonly string[]): Step {
  return { name: `lint: ${name}`, args: [join('node_modules', script), ...args] }
}

function testRun(name: string, ...args: readonly string[]): TestRun {
  const summaryFile = join(scratch, `${name}.jsonl`)
  const reporters = [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/test-summary.ts',
    `--test-reporter-destination=${summaryFile}`,
  ]
  // Without a limit, a promise that nobody keeps holds the run for ever.
  const flags = ['--disable-warning=ExperimentalWarning', '--test', '--test-timeout=600000', ...reporters]
  return { name, args: [...flags, ...args], summaryFile }
}

function withNewline(output: string): string {
  return output === '' || output.endsWith('\n') ? output : output + '\n'
}
