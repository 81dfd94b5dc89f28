import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { messageOf, systemCode } from '../errors.ts'

export interface Readiness {
  readonly isReady: boolean
  /** Milliseconds until it was, or until the window was over. */
  readonly after: number
  readonly looks: number
  /** What the last look said where it was not ready. */
  readonly said: string
}

/** Milliseconds. */
const between = 1000
const urlAnswersWithin = 5000
const commandEndsWithin = 30_000
const longestWords = 2000

/** The administrator's own are no concern of a command that looks at a server, and `ssh` may be set to send them along. */
const keptFromCommands = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']

/** Looks once a second, until the server is ready or the window is over: a URL that answers 2xx, or a command that exits 0. */
export async function waitUntilReady(
  urlOrCommand: string,
  over: AbortSignal,
  onLook: (said: string) => void = () => undefined,
): Promise<Readiness> {
  const begun = performance.now()
  const look = /^https?:\/\//i.test(urlOrCommand) ? lookAtUrl : runCommand
  let said = 'it was not asked'
  for (let looks = 0; ; looks += 1) {
    if (isAborted(over)) return { isReady: false, after: performance.now() - begun, looks, said }
    const answer = await look(urlOrCommand, over)
    if (answer === undefined)
      return { isReady: true, after: performance.now() - begun, looks: looks + 1, said: '' }
    // What a look that was cut short says is about us.
    if (!isAborted(over)) {
      said = answer
      onLook(answer)
    }
    await setTimeout(between, undefined, { signal: over }).catch(() => undefined)
  }
}

/** undefined: ready; else why not. */
async function lookAtUrl(url: string, over: AbortSignal): Promise<string | undefined> {
  try {
    const signal = AbortSignal.any([over, AbortSignal.timeout(urlAnswersWithin)])
    const { ok, status, body } = await fetch(url, { redirect: 'manual', signal })
    await body?.cancel()
    return ok ? undefined : `${url} answers ${status}`
  } catch (error) {
    return `${url} does not answer (${reasonOf(error)})`
  }
}

/** `fetch` puts the system's error behind one of its own. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return `not within ${urlAnswersWithin / 1000} s`
  return systemCode(cause) ?? messageOf(cause)
}

async function runCommand(command: string, over: AbortSignal): Promise<string | undefined> {
  const environment = { ...process.env }
  for (const name of keptFromCommands) Reflect.deleteProperty(environment, name)
  const child = spawn('/bin/sh', ['-c', command], {
    // A process group of its own, so that all of it can be ended.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-longestWords)
    })
  }
  const limit = AbortSignal.any([over, AbortSignal.timeout(commandEndsWithin)])
  const kill = () => {
    killGroup(child.pid)
  }
  limit.addEventListener('abort', kill, { once: true })
  try {
    return await new Promise((resolve) => {
      child.once('error', (error) => {
        resolve(messageOf(error))
      })
      child.once('exit', (code, signal) => {
        const [last = ''] = words.trim().split('\n').slice(-1)
        const how =
          limit.aborted && !over.aborted
            ? `no end within ${commandEndsWithin / 1000} s`
            : (signal ?? `exit code ${String(code)}`)
        resolve(code === 0 ? undefined : `\`${command}\`: ${how}${last === '' ? '' : `: ${last}`}`)
      })
    })
  } finally {
    limit.removeEventListener('abort', kill)
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** It changes while something is awaited, which the compiler does not know. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
