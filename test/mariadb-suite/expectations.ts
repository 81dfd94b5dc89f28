import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ListenerName } from '../support/each-listener.ts'
import { testOf, type TestResult } from './mtr-output.ts'
import { suiteFolder, type SuiteName } from './suite-names.ts'

/** What the repository says of one test in one combination of options, or (`left`) of a test that is not run. */
export interface Expectation {
  readonly outcome: 'pass' | 'skip' | 'left'
  readonly name: string
  readonly reason: string
  /** undefined: whichever. */
  readonly listener: ListenerName | undefined
}

const line = /^(?:(vault|plugin) )?(pass|skip|left) (\S+(?: '[^']*')?)(?:: (.+))?$/
const outcomes = { pass: 'pass', skip: 'skip', left: 'left' } as const

export function expectationFile(suite: SuiteName): string {
  return join(import.meta.dirname, 'expected', `${suite}.txt`)
}

/** What is expected of a suite through a listener. */
export function expectationsOf(suite: SuiteName, listener: ListenerName): Expectation[] {
  return readExpectations(suite).filter((expected) => (expected.listener ?? listener) === listener)
}

export function readExpectations(suite: SuiteName): Expectation[] {
  const file = expectationFile(suite)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return lines
    .filter((text) => text !== '' && !text.startsWith('#'))
    .map((text) => {
      const [, listener, word, name, reason = ''] = line.exec(text) ?? []
      const outcome = Object.values(outcomes).find((known) => known === word)
      if (outcome === undefined || name === undefined) throw new Error(`${file}: not understood: ${text}`)
      const only = listener === 'vault' || listener === 'plugin' ? listener : undefined
      return { outcome, name, reason, listener: only }
    })
}

export function formatExpectation({ outcome, name, reason, listener }: Expectation): string {
  return [listener, outcome, name].filter(Boolean).join(' ') + (reason === '' ? '' : `: ${reason}`)
}

/** The tests that are run, whatever is expected of them. */
export function testsToRun(expected: readonly Expectation[]): string[] {
  return [...new Set(expected.filter(({ outcome }) => outcome !== 'left').map(({ name }) => testOf(name)))]
}

/** In words, each difference between what happened and what is expected. */
export function differences(expected: readonly Expectation[], results: readonly TestResult[]): string[] {
  const run = expected.filter(({ outcome }) => outcome !== 'left')
  const found = new Map(results.map((result) => [result.name, result]))
  const missing = run.flatMap((wanted) => {
    const result = found.get(wanted.name)
    if (result === undefined) return [`${wanted.name} was not run`]
    if (result.outcome === wanted.outcome && result.reason === wanted.reason) return []
    return [`${wanted.name}: ${inWords(result)}, expected: ${inWords(wanted)}`]
  })
  return [...missing, ...unexpected(expected, results)]
}

/** What happened and is not mentioned. */
export function unexpected(expected: readonly Expectation[], results: readonly TestResult[]): string[] {
  const known = new Set(expected.map(({ name }) => name))
  return results
    .filter(({ name }) => !known.has(name))
    .map((result) => `${result.name}: ${inWords(result)}, and nothing is expected of it`)
}

/** Tests that are installed and of which the expectations say nothing, such as those of a newer MariaDB. */
export function unknownTests(suite: SuiteName, tree: string): string[] {
  const known = new Set(readExpectations(suite).map(({ name }) => testOf(name)))
  const folder = suiteFolder(suite, tree)
  return readdirSync(folder)
    .flatMap((name) => (name.endsWith('.test') ? [name.slice(0, -'.test'.length)] : []))
    .filter((test) => suite !== 'mariabackup' || isAboutKeys(folder, test))
    .map((test) => `${suite}.${test}`)
    .filter((name) => !known.has(name))
}

function isAboutKeys(folder: string, test: string): boolean {
  return ['test', 'opt', 'cnf']
    .map((kind) => join(folder, `${test}.${kind}`))
    .some((file) => existsSync(file) && /key.management/i.test(readFileSync(file, 'latin1')))
}

function inWords({ outcome, reason }: Pick<TestResult, 'reason'> & { outcome: string }): string {
  return reason === '' ? outcome : `${outcome} (${reason})`
}
