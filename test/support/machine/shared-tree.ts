import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, systemCode } from '../../../src/errors.ts'
import { until } from '../until.ts'
import { makeDebianTree, run } from './debian-tree.ts'

/** Milliseconds. */
const madeWithin = 300_000

/** A Debian with systemd and MariaDB in a new folder. The test files of one run share the work: the first makes it, all copy it. */
export async function debianTree(tree: string): Promise<void> {
  // Only where a runner of tests has started us is there somebody whose end is the end of them all.
  if (process.env['NODE_TEST_CONTEXT'] === undefined) {
    await makeDebianTree(tree)
    return
  }
  const shared = join(tmpdir(), `strongroom-debian-${process.ppid}`)
  if (isFirst(shared)) await makeShared(shared)
  const [made, failed] = [join(shared, 'made'), join(shared, 'failed')]
  await until('a test file has made a Debian', () => existsSync(made) || existsSync(failed), madeWithin)
  if (existsSync(failed)) throw new Error(readFileSync(failed, 'utf8'))
  await run('cp', ['-a', join(shared, 'tree'), tree])
}

function isFirst(shared: string): boolean {
  try {
    mkdirSync(shared, { mode: 0o700 })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

async function makeShared(shared: string): Promise<void> {
  const sweep = 'while kill -0 "$1" 2>&-; do sleep 1; done; rm -rf "$2"'
  spawn('sh', ['-c', sweep, 'sh', String(process.ppid), shared], { stdio: 'ignore', detached: true }).unref()
  try {
    await makeDebianTree(join(shared, 'tree'))
    writeFileSync(join(shared, 'made'), '')
  } catch (error) {
    writeFileSync(join(shared, 'failed'), messageOf(error))
  }
}
