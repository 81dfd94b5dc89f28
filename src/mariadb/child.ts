import { spawn, type ChildProcess } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
}

/**
 * Starts a program whose output goes to a file. It has a process group of its own, so that Ctrl-C reaches only us and we
 * end our children in order; and a bare environment with what it is given, because ours may hold credentials.
 */
export async function startChild(
  [command, args]: [string, string[]],
  outputFile: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const output = openSync(outputFile, 'a', 0o600)
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: '/',
      env: {
        PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C.UTF-8',
        ...environment,
      },
    })
    const exited = exitOf(child)
    const pid = await pidOf(child)
    return { pid, exited, kill: (signal) => void child.kill(signal) }
  } finally {
    closeSync(output)
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal })
    })
  })
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => {
      if (child.pid !== undefined) resolve(child.pid)
    })
  })
}
