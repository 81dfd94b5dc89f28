import { join } from 'node:path'
import type { ListenerName } from '../support/each-listener.ts'
import { readKeyFile, writtenKeyFile } from './key-file.ts'
import { readResults, serverVersion, type TestResult } from './mtr-output.ts'
import { runMtr } from './mtr.ts'
import { inventedKeyring } from './rewriting.ts'
import { type FirstKeys, Site } from './site.ts'
import type { SuiteName } from './suite-names.ts'
import { installedTests, makeTestTree } from './test-tree.ts'
import { standInForVault } from './vault-command.ts'

/** Its mounts, of version 2. */
const vaultMounts = ['mariadbtest', 'bug', 'good']

export interface SuiteRun {
  readonly suite: SuiteName
  readonly listener: ListenerName
  /** With the suite's name before each. */
  readonly tests: readonly string[]
  /** Ends the run early. */
  readonly signal?: AbortSignal
}

export interface SuiteOutcome {
  readonly results: readonly TestResult[]
  /** Of the server. */
  readonly version: string | undefined
  /** What `mtr` printed. */
  readonly output: string
}

/** Runs tests of one of MariaDB's suites against an agent of their own. */
export async function runSuite(run: SuiteRun): Promise<SuiteOutcome> {
  const site = await Site.start(run.listener, run.suite === 'vault' ? emptyMounts() : keyFiles())
  try {
    const output = run.suite === 'vault' ? await runVault(site, run) : await runRewritten(site, run)
    return { results: readResults(output), version: serverVersion(output), output }
  } finally {
    await site.remove()
  }
}

/** Its tests share mounts, so they run one at a time. */
async function runVault(site: Site, { tests, signal }: SuiteRun): Promise<string> {
  const folder = site.folderForServers('bin')
  const vault = await standInForVault(site, folder)
  try {
    const environment = { ...vault.environment, PATH: `${folder}:${process.env['PATH'] ?? '/usr/bin:/bin'}` }
    return await runMtr(site, { tree: installedTests(), tests, parallel: 1, environment, signal })
  } finally {
    await vault.close()
  }
}

async function runRewritten(site: Site, { tests, signal }: SuiteRun): Promise<string> {
  const tree = makeTestTree(site, site.folderForServers('tree'))
  return await runMtr(site, { tree, tests, parallel: 2, signal })
}

function emptyMounts(): Record<string, FirstKeys> {
  return Object.fromEntries(vaultMounts.map((name) => [name, []]))
}

/** A keyring for each key file that the suites name. */
function keyFiles(): Record<string, FirstKeys> {
  const installed = (name: string) => readKeyFile(join(installedTests(), 'std_data', `${name}.txt`))
  const written = (test: string, name: string) =>
    writtenKeyFile(join(installedTests(), 'suite/encryption/t', `${test}.test`), name)
  return {
    keys: installed('keys'),
    keys2: installed('keys2'),
    keys3: installed('keys3'),
    logkey: installed('logkey'),
    // Encrypted; no test has data that was made with these keys.
    'filekeys-data': installed('logkey'),
    'written-keys1': written('innodb-bad-key-change3', 'keys1'),
    'written-keys2': written('innodb-bad-key-change3', 'keys2'),
    // Files that aren't there, or that can't be read.
    'keys-not-found': [],
    keysbad3: [],
    [inventedKeyring]: 'on-demand',
  }
}
