import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { StrongroomError } from '../../errors.ts'
import { type Child, type Exit, startChild } from '../../mariadb/child.ts'

/** One of our daemons as a process of its own. */
export interface Daemon {
  readonly pid: number
  /** The URL that it printed when it listened. */
  readonly url: string
  readonly exited: Promise<Exit>
  /** What it has printed and logged since it was started. */
  log(): string
  /** Asks it to end, and waits until it has. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface DaemonOptions {
  /** Behind `strongroom`. */
  readonly args: readonly string[]
  /** NAME.log is made there. */
  readonly directory: string
  readonly name: string
  readonly environment?: Readonly<Record<string, string>>
  /** Another `bin/strongroom` than this checkout's. */
  readonly program?: string
  /** A command that runs the daemon, such as one that takes rights away. */
  readonly wrapper?: readonly string[]
}

const strongroom = join(import.meta.dirname, '../../../bin/strongroom')
const listensWithin = 30_000

/**
 * Starts a daemon and waits until it listens. It writes to a file, not to pipes of ours, and has a process group of
 * its own: so it can outlive us, and a Ctrl-C that is meant for us does not end it. Who starts it stops it.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { args, directory, name, environment, program = strongroom, wrapper = [] } = options
  const logFile = join(directory, `${name}.log`)
  const from = existsSync(logFile) ? statSync(logFile).size : 0
  const [command = program, ...rest] = [...wrapper, program, ...args]
  const child = await startChild([command, rest], logFile, environment)
  const log = () => readFileSync(logFile).toString('utf8', from)
  const url = await listening(log, child)
  if (url === undefined) {
    child.kill('SIGKILL')
    await child.exited
    throw new StrongroomError(
      'SR_DAEMON_FAILED',
      `strongroom ${args.join(' ')} did not start: ${lastLines(log())}`,
    )
  }
  return {
    pid: child.pid,
    url,
    exited: child.exited,
    log,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await child.exited
    },
  }
}

/** undefined: it has ended, or did not listen in time. */
async function listening(log: () => string, child: Child): Promise<string | undefined> {
  const end = Date.now() + listensWithin
  const ended = child.exited.then(() => true)
  while (Date.now() < end) {
    const url = /^listening on (\S+)$/m.exec(log())?.[1]
    if (url !== undefined) return url
    if (await Promise.race([ended, setTimeout(20, false)])) return undefined
  }
  return undefined
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join(' | ')
}
