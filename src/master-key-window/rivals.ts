import { StrongroomError } from '../errors.ts'
import type { DutyFiles } from './duty-files.ts'
import type { DutyRecord } from './duty-record.ts'
import { isRunning } from './process-identity.ts'
import { describeTarget, isSameTarget } from './target.ts'

/** Other windows on the same thing that are open, or about to be. */
export async function rivalsOf(record: DutyRecord, files: DutyFiles): Promise<DutyRecord[]> {
  const { records } = await files.list()
  return records.filter(
    ({ id, target, state }) =>
      id !== record.id && state !== 'watching' && isSameTarget(target, record.target),
  )
}

/**
 * Two windows on one key would end with the first of them. Both are written down before either looks, so of two that begin at the
 * same time one gives way. Throws SR_WINDOW_REFUSED.
 */
export async function requireAlone(record: DutyRecord, files: DutyFiles): Promise<void> {
  const rivals = await rivalsOf(record, files)
  const first = rivals.find((rival) => isRunning(rival.holder) !== false && isBefore(rival, record))
  if (first === undefined) return
  throw new StrongroomError(
    'SR_WINDOW_REFUSED',
    `another window on ${describeTarget(record.target)} is just being opened (process ${first.holder.pid} on ${first.holder.host}): wait for its end, or name both servers in one command`,
  )
}

function isBefore(a: DutyRecord, b: DutyRecord): boolean {
  return a.begunAt === b.begunAt ? a.id < b.id : a.begunAt < b.begunAt
}
