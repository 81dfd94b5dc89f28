import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import type { Daemon } from './daemon.ts'

const logLine = z.looseObject({ level: z.number(), msg: z.string().default('') })

export type LogLine = z.infer<typeof logLine>

const waitsAtMost = 60_000

/** What a daemon has logged; lines that are no log (such as what it prints) are left out. */
export function logLines(daemon: Pick<Daemon, 'log'>): LogLine[] {
  return daemon
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => logLine.parse(JSON.parse(line)))
}

export function logMessages(daemon: Pick<Daemon, 'log'>): string[] {
  return logLines(daemon).map(({ msg }) => msg)
}

/** The first message that fits, once it is there. */
export async function waitForLog(
  daemon: Pick<Daemon, 'log'>,
  fits: (message: string) => boolean,
): Promise<string> {
  const end = Date.now() + waitsAtMost
  for (;;) {
    const found = logMessages(daemon).find(fits)
    if (found !== undefined) return found
    if (Date.now() > end) {
      throw new StrongroomError(
        'SR_DEMO_FAILED',
        `a log line was waited for that did not come: ${String(fits)}`,
      )
    }
    await setTimeout(20)
  }
}
