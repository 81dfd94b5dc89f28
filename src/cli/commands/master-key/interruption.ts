import { constants } from 'node:os'
import { note } from '../../terminal.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

export interface Interruption {
  /** Aborted by the first signal, whose name is the reason. */
  readonly signal: AbortSignal
  /** As shells have it; undefined: there was none. */
  readonly exitCode: number | undefined
  /** Nothing is open any more: from now on a signal ends this process at once. */
  allClosed(): void
}

/** The first signal asks for an orderly end; the second ends this process at once, and leaves the rest to the watchdog. */
export function interruption(): Interruption {
  const controller = new AbortController()
  let exitCode: number | undefined
  let isAllClosed = false
  for (const name of signals) {
    process.on(name, () => {
      if (isAllClosed) process.exit(128 + constants.signals[name])
      if (exitCode !== undefined) {
        note('ended at once; the watchdog goes on closing what is open')
        process.exit(exitCode)
      }
      exitCode = 128 + constants.signals[name]
      note(`got ${name}: closing what is open; once more ends this command, and the watchdog does it alone`)
      controller.abort(name)
    })
  }
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    allClosed() {
      isAllClosed = true
    },
  }
}
