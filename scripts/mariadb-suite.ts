import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import {
  differences,
  type Expectation,
  expectationFile,
  expectationsOf,
  formatExpectation,
  readExpectations,
  testsToRun,
  unknownTests,
} from '../test/mariadb-suite/expectations.ts'
import type { TestResult } from '../test/mariadb-suite/mtr-output.ts'
import { listenersOf, suiteNames, type SuiteName } from '../test/mariadb-suite/suite-names.ts'
import { runSuite, type SuiteOutcome } from '../test/mariadb-suite/suites.ts'
import { installedTests } from '../test/mariadb-suite/test-tree.ts'
import type { ListenerName } from '../test/support/each-listener.ts'

/**
 * `node scripts/mariadb-suite.ts [--listener vault|plugin] [--record] [SUITE ...]`: runs MariaDB's own tests against an agent
 * and a KMS service, and fails where anything differs from what test/mariadb-suite/expected says. `--record` writes it there
 * instead, for both listeners.
 */

interface Finished {
  readonly suite: SuiteName
  readonly listener: ListenerName
  readonly outcome: SuiteOutcome
  readonly seconds: number
}

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    ended.abort(`ended by ${signal}`)
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!ended.signal.aborted) throw error
  console.error(ended.signal.reason)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { listener: { type: 'string' }, record: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const suites = suiteNames.filter((name) => positionals.length === 0 || positionals.includes(name))
  const unknown = positionals.filter((name) => !suiteNames.some((known) => known === name))
  if (unknown.length > 0 || !['vault', 'plugin', undefined].includes(values.listener)) {
    console.error(
      `usage: node scripts/mariadb-suite.ts [--listener vault|plugin] [--record] [${suiteNames.join('|')} ...]`,
    )
    return 2
  }
  let found = 0
  for (const suite of suites) {
    const finished: Finished[] = []
    for (const listener of listenersOf(suite)) {
      if ((values.listener ?? listener) === listener) finished.push(await run(suite, listener, values.record))
    }
    if (values.record) record(suite, finished)
    else found += report(suite, finished)
  }
  return found === 0 ? 0 : 1
}

async function run(suite: SuiteName, listener: ListenerName, all: boolean): Promise<Finished> {
  console.log(`▶ ${suite} through the ${listener} listener`)
  const started = performance.now()
  const unknown = all ? unknownTests(suite, installedTests()) : []
  const tests = [...testsToRun(expectationsOf(suite, listener)), ...unknown]
  const outcome = await runSuite({ suite, listener, tests, signal: ended.signal })
  const seconds = Math.round((performance.now() - started) / 1000)
  const count = (wanted: TestResult['outcome']) =>
    outcome.results.filter((result) => result.outcome === wanted).length
  console.log(
    `${suite} through the ${listener} listener: ${count('pass')} passed, ${count('fail')} failed, ` +
      `${count('skip')} skipped in ${seconds} s (MariaDB ${outcome.version ?? 'did not start'})`,
  )
  for (const { name, reason } of outcome.results.filter((result) => result.outcome === 'skip'))
    console.log(`  skipped: ${name}: ${reason}`)
  return { suite, listener, outcome, seconds }
}

/** How many differences there are. */
function report(suite: SuiteName, finished: readonly Finished[]): number {
  for (const { name, reason } of readExpectations(suite).filter(({ outcome }) => outcome === 'left'))
    console.log(`  left out: ${name}: ${reason}`)
  const lines = unknownTests(suite, installedTests()).map((name) => `${name}: nothing is expected of it`)
  for (const { listener, outcome } of finished) {
    for (const { details } of outcome.results.filter((result) => result.outcome === 'fail'))
      console.log(details)
    const found = differences(expectationsOf(suite, listener), outcome.results)
    if (found.some((line) => line.endsWith('was not run'))) console.log(outcome.output.slice(-2000))
    lines.push(...found.map((line) => `${line} (${listener} listener)`))
  }
  for (const line of lines) console.log(`✖ ${line}`)
  return lines.length
}

function record(suite: SuiteName, finished: readonly Finished[]): void {
  const left = readExpectations(suite).filter(({ outcome }) => outcome === 'left')
  const lines = new Map<string, Expectation[]>()
  for (const { listener, outcome } of finished) {
    for (const { name, outcome: result, reason } of outcome.results) {
      if (result === 'fail') continue
      const key = `${result} ${name}: ${reason}`
      lines.set(key, [...(lines.get(key) ?? []), { outcome: result, name, reason, listener }])
    }
  }
  const everywhere = listenersOf(suite).length
  const run = [...lines.values()].flatMap((same) =>
    same.length === everywhere ? same.slice(0, 1).map((one) => ({ ...one, listener: undefined })) : same,
  )
  const version = finished[0]?.outcome.version?.split('-')[0] ?? '?'
  const text = [...run, ...left]
    .sort((a, b) => a.outcome.localeCompare(b.outcome) || a.name.localeCompare(b.name))
    .map(formatExpectation)
  const file = expectationFile(suite)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    `# MariaDB ${version}; written by scripts/mariadb-suite.ts --record\n${text.join('\n')}\n`,
  )
  console.log(`wrote ${file}`)
}
