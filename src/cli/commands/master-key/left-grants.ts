import { messageOf } from '../../../errors.ts'
import type { FoundDuty } from '../../../master-key-window/recover.ts'
import { windowGrants } from '../../../master-key-window/grants.ts'
import { GrantOpening } from '../../../master-key-window/grant-opening.ts'
import { Reach } from '../../../master-key-window/reach.ts'
import { note } from '../../terminal.ts'
import type { FullCaller } from './caller.ts'

/** The watchdog of another host may be at it; clocks may differ (milliseconds). */
const grace = 5 * 60_000

/**
 * A grant says in its name when its window ends. Those of a master key whose windows have ended are revoked, whoever left them;
 * the others are told of.
 */
export async function closeGrantsLeftOver(
  keyArns: ReadonlySet<string>,
  { place, credentials }: FullCaller,
  duties: readonly FoundDuty[],
): Promise<void> {
  const reach = new Reach(place, credentials)
  const known = new Set(
    duties.flatMap(({ record: { target } }) => (target.type === 'grant' ? [target.grantName] : [])),
  )
  try {
    for (const keyArn of keyArns) {
      // What stands in the way at one key stops no window on another.
      await closeThoseOf(keyArn, reach, known).catch((error: unknown) => {
        note(`whether earlier windows left grants for ${keyArn} is not known: ${messageOf(error)}`)
      })
    }
  } finally {
    reach.close()
  }
}

async function closeThoseOf(keyArn: string, reach: Reach, known: ReadonlySet<string>): Promise<void> {
  for (const { name, principal, endsAt } of await windowGrants(reach, keyArn)) {
    const end = new Date(endsAt).toISOString()
    if (Date.now() >= endsAt + grace) {
      await new GrantOpening({ type: 'grant', keyArn, principal, grantName: name }, reach).close()
      note(`revoked a grant to ${principal} for ${keyArn}, left over of a window that ended at ${end}`)
    } else if (!known.has(name)) {
      note(`there is a grant to ${principal} for ${keyArn}, of another window that ends at ${end}`)
    }
  }
}
