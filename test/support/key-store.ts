import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/kms/clock.ts'
import { createDatabase } from '../../src/kms/state/database.ts'

/** For tests: an empty database of the KMS service. */
export function scratchDatabase(t: TestContext): DatabaseSync {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-kms-keys-'))
  const database = createDatabase(join(directory, 'kms.db'), () => undefined)
  t.after(() => {
    database.close()
    rmSync(directory, { recursive: true })
  })
  return database
}

/** A clock that a test sets. */
export interface SettableClock extends Clock {
  /** Lets so many milliseconds pass. */
  pass(milliseconds: number): void
  /** Sets it, without any time passing. */
  set(time: Date): void
}

/** Starts at the machine's time. */
export function settableClock(start: Date = new Date()): SettableClock {
  let now = start.getTime()
  let monotonic = 0
  return {
    now: () => new Date(now),
    monotonic: () => monotonic,
    pass(milliseconds) {
      now += milliseconds
      monotonic += milliseconds
    },
    set(time) {
      now = time.getTime()
    },
  }
}
