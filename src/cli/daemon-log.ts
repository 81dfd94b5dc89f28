import { type Logger, pino } from 'pino'

/** Bytes that wait to be written; beyond them lines are dropped. */
const longestBacklog = 1024 * 1024

export interface DaemonLog {
  readonly log: Logger
  /** Waits a moment until what was logged is written. */
  readonly flush: () => Promise<void>
}

/**
 * Logs to stderr, one JSON object a line. What becomes of the log never decides over the service: a full disk, a reader
 * that stalls or has gone neither ends nor stops it; lines are lost then.
 */
export function openDaemonLog(level: string, name?: string): DaemonLog {
  const destination = pino.destination({ fd: 2, sync: false, maxLength: longestBacklog })
  destination.on('error', () => undefined)
  process.stdout.on('error', () => undefined)
  const log = pino({ level, base: name === undefined ? null : { name } }, destination)
  return {
    log,
    flush: async () => {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 200).unref()
        destination.flush(() => {
          resolve()
        })
      })
    },
  }
}
