import { setTimeout } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { OwnDutyEvent } from './duty-event.ts'
import type { DutyFiles } from './duty-files.ts'
import type { DutyRecord } from './duty-record.ts'
import type { Opening } from './opening.ts'
import { rivalsOf } from './rivals.ts'

/** One call each: it costs little to ask often, and a key that is enabled may cost much (milliseconds). */
const firstPause = 250
const longestPause = 10_000

/** How long a signed request may arrive after it was sent: five minutes, and clocks may differ by five (milliseconds). */
export const requestLives = 11 * 60_000

const firstLookAfter = 1000
const longestBetweenLooks = 15_000

export interface ClosingTools {
  readonly opening: Opening
  readonly files: DutyFiles
  readonly tell: (event: OwnDutyEvent) => void
}

/**
 * Closes, and tries again for as long as it takes: for hours without a network, too. Then nothing is written down any more,
 * unless there is something to watch.
 */
export async function closeForSure(record: DutyRecord, tools: ClosingTools): Promise<void> {
  const { opening, files, tell } = tools
  await files.update({ ...record, state: 'closing' })
  for (let failures = 0; ; failures += 1) {
    try {
      const requestId = await opening.close()
      const watchedUntil = await watchFromNow(record, tools)
      tell({ event: 'closed', at: Date.now(), requestId, watchedUntil })
      return
    } catch (error) {
      const pause = Math.min(longestPause, firstPause * 2 ** failures)
      const message = messageOf(error)
      tell({ event: 'not-closed', message, pause })
      await files.update({ ...record, state: 'closing', trouble: message })
      await setTimeout(pause)
    }
  }
}

/** What was written down is done, but for what may have to be watched: until when. */
export async function watchFromNow(record: DutyRecord, { files }: ClosingTools): Promise<number | undefined> {
  if (isPast(record.mayOpenUntil)) await files.remove(record.id)
  else await files.update({ ...record, state: 'watching' })
  return isPast(record.mayOpenUntil) ? undefined : record.mayOpenUntil
}

/**
 * Where a call that opens was sent and not answered, it may arrive after the one that closed: looks until it can't any more, and
 * closes again. Ends early where somebody has taken the duty away or has a newer one for the same thing. Then the duty is done.
 */
export async function watchAndForget(record: DutyRecord, tools: ClosingTools): Promise<void> {
  const { files, opening } = tools
  let pause = firstLookAfter
  while (!isPast(record.mayOpenUntil)) {
    await setTimeout(pause)
    pause = Math.min(longestBetweenLooks, pause * 1.3)
    const isOpen = await opening.isOpen().catch(() => undefined)
    // After the look: whoever opens it anew writes that down before.
    if (await isTakenOver(record, files)) break
    if (isOpen === true) await closeForSure(record, tools)
  }
  await files.remove(record.id)
}

async function isTakenOver(record: DutyRecord, files: DutyFiles): Promise<boolean> {
  try {
    if (!(await files.has(record.id))) return true
    return (await rivalsOf(record, files)).length > 0
  } catch {
    return false
  }
}

function isPast(time: number | undefined): boolean {
  return time === undefined || Date.now() >= time
}
