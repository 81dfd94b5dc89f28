import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { program } from './strongroom.ts'
import { until } from './until.ts'

/** `strongroom master-key …` as a process, with its watchdog. */
export interface WindowCommand {
  readonly pid: number
  /** All that it wrote so far, to stdout and stderr. */
  readonly output: () => string
  readonly child: ChildProcess
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Of all its processes that run, itself and the watchdog included. */
  readonly processes: () => number[]
  readonly watchdogs: () => number[]
  readonly says: (text: string | RegExp) => Promise<void>
}

export interface WindowPlace {
  readonly endpointUrl: string
  readonly stateDirectory: string
  readonly credentialsFile: string
}

let count = 0

export function startWindow(t: TestContext, place: WindowPlace, args: readonly string[]): WindowCommand {
  // All its processes inherit it, and so are found when one of them has lost its parent.
  count += 1
  const mark = `STRONGROOM_TEST_WINDOW=${process.pid}.${count}.`
  const [name = '', value = ''] = mark.split('=')
  const common = ['--endpoint-url', place.endpointUrl, '--state-directory', place.stateDirectory]
  const child = spawn(program, ['master-key', ...args, ...common], {
    // As a shell starts its jobs.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      AWS_SHARED_CREDENTIALS_FILE: place.credentialsFile,
      AWS_REGION: 'us-east-1',
      [name]: value,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const exited = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>()
  child.once('exit', (code, signal) => {
    exited.resolve({ code, signal })
  })
  const processes = () => processesWith(mark)
  const { pid = 0 } = child
  t.after(() => {
    for (const left of processes()) killIfThere(left)
  })
  return {
    pid,
    output: () => output,
    child,
    exited: exited.promise,
    processes,
    watchdogs: () => processes().filter((one) => commandLine(one).includes('watchdog')),
    says: async (text) => {
      const isThere = () => (typeof text === 'string' ? output.includes(text) : text.test(output))
      await until(`it says ${String(text)}`, () => isThere() || child.exitCode !== null)
      if (!isThere()) throw new Error(`it ended without saying ${String(text)}: ${output}`)
    },
  }
}

function processesWith(environment: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => read(`/proc/${name}/environ`).includes(environment))
    .map(Number)
}

/** What is written down there of what has to be closed. */
export function dutiesIn(stateDirectory: string): string[] {
  try {
    return readdirSync(stateDirectory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFileSync(join(stateDirectory, name), 'utf8'))
  } catch {
    return []
  }
}

function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
