import { readFileSync } from 'node:fs'
import { type Logger, pino } from 'pino'
import { z } from 'zod'
import { AuditTrail, type TrailOptions } from '../../src/kms/audit/audit-trail.ts'
import { ChainKey, type Position } from '../../src/kms/audit/chain.ts'
import type { Head } from '../../src/kms/audit/head.ts'

/** For tests: a head that outlives the trail, as a database's row does. */
export class MemoryHead implements Head {
  position: Position | 'unset' | 'forged' = 'unset'
  readonly written: Position[] = []

  read(): Position | 'unset' | 'forged' {
    return this.position
  }

  write(position: Position): void {
    this.position = position
    this.written.push(position)
  }
}

export const testKey = new ChainKey(Buffer.alloc(32, 1))
export const testAccount = { accountId: '111122223333', region: 'us-east-1' }
const heads = new Map<string, MemoryHead>()

/** The head of the trail at a path, for as long as the test process runs. */
export function headOf(path: string): MemoryHead {
  const head = heads.get(path) ?? new MemoryHead()
  heads.set(path, head)
  return head
}

export function openTestTrail(path: string, options: Partial<TrailOptions> = {}): Promise<AuditTrail> {
  return AuditTrail.open({
    path,
    key: testKey,
    head: headOf(path),
    account: testAccount,
    log: pino({ level: 'silent' }),
    maxSize: 100 * 1024 * 1024,
    ...options,
  })
}

const record = z.record(z.string(), z.unknown())

/** The records of a file of the trail, without their links. */
export function recordsOf(path: string): Record<string, unknown>[] {
  const text = readFileSync(path, 'utf8')
  if (text !== '' && !text.endsWith('\n')) throw new Error(`${path} ends in the middle of a line`)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const entries = Object.entries(record.parse(JSON.parse(line)))
      return Object.fromEntries(entries.filter(([name]) => name !== 'chain'))
    })
}

const entry = z.looseObject({ level: z.number(), msg: z.string() })

export function recordingPino(): { log: Logger; entries: () => z.infer<typeof entry>[] } {
  const lines: string[] = []
  return {
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    entries: () => lines.map((line) => entry.parse(JSON.parse(line))),
  }
}
