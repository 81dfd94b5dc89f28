import type { Logger } from 'pino'
import { serviceEventRecord } from './audit/service-event.ts'
import type { AuditTrail } from './audit/audit-trail.ts'
import { systemClock } from './clock.ts'
import { ClockTrust } from './clock-trust.ts'
import { keyTasks } from './key-tasks.ts'
import type { State } from './operations/call.ts'
import type { KmsServiceOptions } from './options.ts'
import { Schedule } from './schedule.ts'
import type { DataDirectory } from './state/data-directory.ts'
import { DueKeys } from './state/keys/due-keys.ts'
import { KeyStore } from './state/keys/key-store.ts'

export function openKeyStore(
  { database, rootKey, account }: DataDirectory,
  { clock = systemClock }: Pick<KmsServiceOptions, 'clock'>,
  log: Logger,
): KeyStore {
  return new KeyStore({ database, rootKey, accountId: account.accountId, clock, log })
}

/** All work that the service does without being asked; not started yet. */
export function openSchedule(
  states: ReadonlyMap<string, State>,
  parts: {
    readonly store: KeyStore
    readonly data: DataDirectory
    readonly trail: AuditTrail
    readonly options: KmsServiceOptions
    readonly log: Logger
  },
): Schedule {
  const { store, data, trail, log } = parts
  const { clock = systemClock } = parts.options
  const trust = new ClockTrust(data.database, clock)
  const tasks = keyTasks({
    store,
    due: new DueKeys(data.database),
    accountId: data.account.accountId,
    requireRecordable: () => trail.requireHealthy(),
    record: (event) => trail.append(serviceEventRecord(event)),
    onDeleted({ region, keyId }) {
      const state = states.get(region)
      state?.aliases.forgetKey(keyId)
      state?.grants.forgetKey(keyId)
      state?.keyUsage.forgetKey(keyId)
    },
    log,
  })
  const sessions = {
    name: 'forget expired sessions',
    needsTrust: false,
    run: (now: Date) => states.get(data.account.region)?.sessions.forgetExpired(now),
  }
  return new Schedule({ clock, settlesIn: () => trust.settlesIn(), tasks: [...tasks, sessions], log })
}
