import { StrongroomError } from '../errors.ts'
import { newGrantName } from './grant-name.ts'
import { type FoundKey, nameOf } from './master-keys.ts'
import type { FoundDuty } from './recover.ts'
import type { WindowPlan } from './run-windows.ts'
import { isSameTarget, type Target } from './target.ts'
import type { WantedServer } from './window-list.ts'

export interface Planning {
  readonly lasts: number
  /** Open one also for a key that is enabled: it ends disabled. */
  readonly evenIfEnabled: boolean
  /** What is written down of other windows. */
  readonly duties: readonly FoundDuty[]
}

/** A server for which nothing can be opened. */
export interface Unplanned {
  readonly server: WantedServer
  readonly error: StrongroomError
}

/** Servers that share a key, or a grant, share the window: it ends when all of them are ready. */
export function planWindows(
  servers: readonly { server: WantedServer; key: FoundKey }[],
  planning: Planning,
): { plans: WindowPlan[]; unplanned: Unplanned[] } {
  const plans: WindowPlan[] = []
  const unplanned: Unplanned[] = []
  const together = ({ server, key }: { server: WantedServer; key: FoundKey }) =>
    JSON.stringify([key.arn, server.grant, server.keyringId])
  for (const group of Map.groupBy(servers, together).values()) {
    const [first] = group
    if (first === undefined) continue
    try {
      plans.push({
        ...planOf(first, planning),
        servers: group.map(({ server }) => server.untilReady),
        expected: expectedOf(group.map(({ server }) => server)),
      })
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      unplanned.push(...group.map(({ server }) => ({ server, error })))
    }
  }
  return { plans, unplanned }
}

function planOf(
  { server, key }: { server: WantedServer; key: FoundKey },
  { lasts, evenIfEnabled, duties }: Planning,
): Omit<WindowPlan, 'servers' | 'expected'> {
  const target = targetOf(server, key, lasts)
  const others = duties.filter(({ record }) => isSameTarget(record.target, target))
  requireFree(others, key)
  if (target.type === 'key') requireClosed(key, evenIfEnabled)
  else requireUsable(key, server.grant ?? '')
  const mayOpenUntil = Math.max(...others.map(({ record }) => record.mayOpenUntil ?? -Infinity))
  return {
    name: target.type === 'key' ? key.named : `${key.named} for ${target.principal}`,
    target,
    lasts,
    proves: key.state !== 'Enabled' || target.type === 'grant',
    ...(mayOpenUntil > Date.now() && { mayOpenUntil }),
  }
}

function targetOf({ grant, keyringId }: WantedServer, { arn: keyArn }: FoundKey, lasts: number): Target {
  if (grant === undefined) return { type: 'key', keyArn }
  return {
    type: 'grant',
    keyArn,
    principal: grant,
    grantName: newGrantName(Date.now() + lasts),
    ...(keyringId !== undefined && { keyringId }),
  }
}

function requireFree(others: readonly FoundDuty[], key: FoundKey): void {
  const other = others.find(({ record, outcome }) => outcome === 'held' && record.state !== 'watching')
  if (other === undefined) return
  const { holder, endsAt } = other.record
  throw refused(
    `a window on master key ${nameOf(key)} is open until ${new Date(endsAt).toISOString()} (process ${holder.pid} on ${holder.host}): wait for its end, or name both servers in one command`,
  )
}

function requireClosed(key: FoundKey, evenIfEnabled: boolean): void {
  if (key.state === 'Disabled' || (key.state === 'Enabled' && evenIfEnabled)) return
  if (key.state === 'Enabled') {
    throw refused(
      `master key ${nameOf(key)} is enabled already, and a window would end with it disabled: disable it first, or say --even-if-enabled where that is what you want`,
    )
  }
  throw unusable(key)
}

function requireUsable(key: FoundKey, principal: string): void {
  if (key.state === 'Enabled') return
  if (key.state !== 'Disabled') throw unusable(key)
  throw refused(
    `master key ${nameOf(key)} is disabled, so a grant to ${principal} would be of no use: with --grant the key stays enabled and nobody but the grant gives the right to use it; enable it, or leave --grant out`,
  )
}

function unusable(key: FoundKey): StrongroomError {
  const until = key.deletionDate === undefined ? '' : ` (it is deleted on ${key.deletionDate.toISOString()})`
  return refused(`master key ${nameOf(key)} is ${key.state}${until}: no window makes it usable`)
}

function refused(message: string): StrongroomError {
  return new StrongroomError('SR_WINDOW_REFUSED', message)
}

/** Those of all servers that share it; nobody where one of them may be used by anybody. */
function expectedOf(servers: readonly WantedServer[]): string[] {
  const expected = servers.map(({ expect, grant }) => expect ?? grant)
  return expected.every((one) => one !== undefined) ? [...new Set(expected)] : []
}
