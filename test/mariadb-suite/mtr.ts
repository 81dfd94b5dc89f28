import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { commandFor, endingWithUs, serverAccount } from '../../src/mariadb/account.ts'
import { startChild } from '../../src/mariadb/child.ts'
import { until } from '../support/until.ts'
import type { Site } from './site.ts'

export interface MtrRun {
  /** From which `mtr` is run. */
  readonly tree: string
  readonly tests: readonly string[]
  readonly parallel: number
  readonly environment?: Readonly<Record<string, string>>
  /** Ends the run early. */
  readonly signal?: AbortSignal | undefined
}

/** `mtr` gives each of its workers so many ports, from 10000 on. */
const portsOfThread = 30

/** Below the ports that the kernel gives away by itself. */
const threads = 700

/** In minutes. The slowest test takes less than one. */
const limits = ['--testcase-timeout=5', '--suite-timeout=40']

/** Runs tests to their end, as the user that servers run as, and resolves to what `mtr` printed. */
export async function runMtr(site: Site, run: MtrRun): Promise<string> {
  const { tree, tests, parallel } = run
  const options = ['--force', '--retry=0', '--max-test-fail=0', '--big-test', '--skip-not-found', ...limits]
  const home = site.folderForServers('home')
  const workers = `--parallel=${parallel}`
  const place = `--vardir=${join(site.folderForServers('var'), 'run')}`
  const perl = ['env', `--chdir=${tree}`, 'perl', 'mtr', place, workers, ...options, ...tests]
  const thread = String(await freeThread(parallel))
  run.signal?.throwIfAborted()
  const outputFile = join(site.directory, 'mtr.out')
  const child = await startChild(endingWithUs(commandFor(serverAccount(), ...perl)), outputFile, {
    HOME: home,
    MTR_BUILD_THREAD: thread,
    ...(site.listener === 'vault' && { VAULT_ADDR: site.vaultAddress, VAULT_TOKEN: site.token }),
    ...run.environment,
  })
  const end = () => {
    child.kill('SIGTERM')
  }
  run.signal?.addEventListener('abort', end)
  try {
    await child.exited
  } finally {
    run.signal?.removeEventListener('abort', end)
    await endLeftOver(child.pid, home)
  }
  run.signal?.throwIfAborted()
  return readFileSync(outputFile, 'utf8')
}

/** A number from which on the ports of `parallel` workers are free. */
async function freeThread(parallel: number): Promise<number> {
  for (;;) {
    const thread = randomInt(100, threads)
    const ports = Array.from(
      { length: portsOfThread * parallel },
      (_, i) => 10_000 + portsOfThread * thread + i,
    )
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return thread
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', () => {
      resolve(false)
    })
    server.listen(port, '127.0.0.1', () =>
      server.close(() => {
        resolve(true)
      }),
    )
  })
}

/** Whatever `mtr` left running: its workers are of its process group, and servers have its home, which nobody else has. */
async function endLeftOver(group: number, home: string): Promise<void> {
  await until(`the processes whose home is ${home} have ended`, () => {
    const left = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && (isOfGroup(pid, group) || hasHome(pid, home)),
    )
    for (const pid of left) endProcess(Number(pid))
    return left.length === 0
  })
}

/** proc_pid_stat(5): behind the name come the state, the parent and the group. */
function isOfGroup(pid: string, group: number): boolean {
  const [state, , ofGroup] = readProcess(pid, 'stat').split(') ').at(-1)?.split(' ') ?? []
  return Number(ofGroup) === group && state !== 'Z'
}

function hasHome(pid: string, home: string): boolean {
  return readProcess(pid, 'environ').split('\0').includes(`HOME=${home}`)
}

/** Empty where it has ended, or is somebody else's. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
