import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { join } from 'node:path'
import { messageOf, StrongroomError, systemCode } from '../errors.ts'

export interface CommandResult {
  /** As shells have it: the command's own, or 128 and the number of the signal that ended it. */
  readonly exitCode: number
  readonly signal: NodeJS.Signals | undefined
}

/** Both the terminal sends to all that run in its foreground. */
const ofTerminals = ['SIGINT', 'SIGQUIT'] as const
const passedOn = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', ...ofTerminals] as const

/** The program that the name stands for on the PATH. Throws SR_USAGE: before a code is used up. */
export function findCommand(name: string, path = process.env['PATH'] ?? ''): string {
  const candidates = name.includes('/')
    ? [name]
    : path.split(':').map((directory) => join(directory || '.', name))
  const found = candidates.find(isProgram)
  if (found !== undefined) return found
  throw new StrongroomError('SR_USAGE', `there is no command "${name}" that could be run`)
}

/**
 * Runs a command at our terminal, with our standard input and output, and passes on the signals that we get. Resolves once it has ended.
 * Throws SR_USAGE where it can't be run.
 */
export async function runCommand(
  [name = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CommandResult> {
  // Before it runs: a signal that found no listener would end us, and leave it running.
  const signals = new SignalsPassedOn()
  try {
    return await new Promise((resolve, reject) => {
      // Throws what has to do with the arguments (E2BIG); all else is an event.
      const child = spawn(name, args, { stdio: 'inherit', env: environment })
      signals.to = child
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        resolve({
          exitCode: signal === null ? (code ?? 0) : 128 + osConstants.signals[signal],
          signal: signal ?? undefined,
        })
      })
    })
  } catch (error) {
    const why = systemCode(error) ?? messageOf(error)
    throw new StrongroomError('SR_USAGE', `cannot run ${name} (${why})`, { cause: error })
  } finally {
    signals.end()
  }
}

class SignalsPassedOn {
  to: ChildProcess | undefined

  constructor() {
    for (const signal of passedOn) process.on(signal, this.#pass)
  }

  end(): void {
    for (const signal of passedOn) process.off(signal, this.#pass)
  }

  readonly #pass = (signal: NodeJS.Signals): void => {
    if (!ofTerminals.some((one) => one === signal) || !isInForeground()) this.to?.kill(signal)
  }
}

/** Then the terminal's Ctrl-C has reached the command too, which is in our process group. */
function isInForeground(): boolean {
  try {
    // proc_pid_stat(5): the name in brackets, then state, ppid, pgrp, session, tty_nr, tpgid.
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields[2] === fields[5]
  } catch {
    return process.stdin.isTTY
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
