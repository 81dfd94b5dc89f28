import { setTimeout } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { requestLives } from './closing.ts'
import type { HandedCredentials } from './credentials.ts'
import type { DutyFiles } from './duty-files.ts'
import type { DutyRecord } from './duty-record.ts'
import { openingOf } from './opening-of.ts'
import { isRunning } from './process-identity.ts'
import { Reach } from './reach.ts'
import { rivalsOf } from './rivals.ts'
import type { Place } from './target.ts'

/** What became of a duty that was found. */
export interface FoundDuty {
  readonly record: DutyRecord
  /**
   * - `held`: its watchdog runs, or that of a later window on the same thing; on another host, so far as can be told.
   * - `closed`: nobody held it, and it was done now.
   * - `left`: nobody holds it, and it could not be done: `why`.
   */
  readonly outcome: 'held' | 'closed' | 'left'
  readonly why?: string
}

export interface Caller {
  readonly place: Place
  readonly credentials: HandedCredentials | undefined
}

/** Another host's watchdog can't be seen from here; it is given so long after the end of its window (milliseconds). */
const graceForOthers = 60_000
const tries = 3

/** Does the duties that nobody is left to do. Throws SR_WINDOW_DUTY where the directory can't be read. */
export async function recover(files: DutyFiles, caller: Caller): Promise<FoundDuty[]> {
  const { records } = await files.list()
  return await Promise.all(records.map((record) => recoverOne(record, files, caller)))
}

async function recoverOne(record: DutyRecord, files: DutyFiles, caller: Caller): Promise<FoundDuty> {
  if (isHeld(record)) return { record, outcome: 'held' }
  const isSamePlace =
    record.place.region === caller.place.region && record.place.endpointUrl === caller.place.endpointUrl
  const reach = new Reach(record.place, isSamePlace ? caller.credentials : undefined)
  try {
    if (!(await closeUnlessOpenAnew(record, files, reach))) return { record, outcome: 'held' }
    await forgetOrKeep(record, files)
    return { record, outcome: 'closed' }
  } catch (error) {
    return { record, outcome: 'left', why: messageOf(error) }
  } finally {
    reach.close()
  }
}

function isHeld({ holder, endsAt }: DutyRecord): boolean {
  return isRunning(holder) ?? Date.now() < endsAt + graceForOthers
}

/** False: a later window on the same thing has it open, and would end with this. */
async function closeUnlessOpenAnew(record: DutyRecord, files: DutyFiles, reach: Reach): Promise<boolean> {
  const opening = openingOf(record.target, reach)
  for (let left = tries - 1; ; left -= 1) {
    if ((await rivalsOf(record, files)).some(isHeld)) return false
    try {
      await opening.close()
      return true
    } catch (error) {
      if (left === 0) throw error
      await setTimeout(1000)
    }
  }
}

/** A call that opens it may have been on its way when its sender died: then the next command looks again. */
async function forgetOrKeep(record: DutyRecord, files: DutyFiles): Promise<void> {
  const mayOpenUntil =
    record.mayOpenUntil ?? (record.state === 'opening' ? record.endsAt + requestLives : undefined)
  if (mayOpenUntil === undefined || Date.now() >= mayOpenUntil) await files.remove(record.id)
  else await files.update({ ...record, state: 'watching', mayOpenUntil })
}
