import { DutyFiles } from '../../../master-key-window/duty-files.ts'
import { type Caller, type FoundDuty, recover } from '../../../master-key-window/recover.ts'
import { describeTarget } from '../../../master-key-window/target.ts'
import { note } from '../../terminal.ts'

export interface Leftovers {
  readonly duties: readonly FoundDuty[]
  /** Something is open, or may be, that should not be. */
  readonly isTrouble: boolean
}

/** Closes what earlier windows have left open, and tells of it. Throws SR_WINDOW_DUTY. */
export async function closeLeftovers(directory: string, caller: Caller): Promise<Leftovers> {
  const files = new DutyFiles(directory)
  const duties = await recover(files, caller)
  for (const duty of duties) tell(duty)
  const { unreadable } = await files.list()
  for (const path of unreadable)
    note(
      `${path} can't be read as a duty to close something: see what it says, disable that key, and remove the file`,
    )
  return { duties, isTrouble: unreadable.length > 0 || duties.some(({ outcome }) => outcome === 'left') }
}

function tell({ record, outcome, why }: FoundDuty): void {
  const { target, holder, begunAt } = record
  const of = `of a window that process ${holder.pid} on ${holder.host} opened at ${new Date(begunAt).toISOString()}`
  if (outcome === 'closed') note(`${describeTarget(target)} was left over ${of}: it is closed now`)
  if (outcome === 'left')
    note(`${describeTarget(target)} is left over ${of}, and can't be closed: ${why ?? ''}`)
}
