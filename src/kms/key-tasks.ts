import type { Logger } from 'pino'
import { keyArn } from './arn.ts'
import type { ServiceEvent } from './audit/service-event.ts'
import type { TimedTask } from './schedule.ts'
import type { Due, DueKeys } from './state/keys/due-keys.ts'
import type { KeyName } from './state/keys/key.ts'
import type { KeyStore } from './state/keys/key-store.ts'
import { Keys } from './state/keys.ts'

export interface KeyTaskParts {
  readonly store: KeyStore
  readonly due: DueKeys
  readonly accountId: string
  /** Rejects when nothing can be recorded: then nothing is begun. */
  readonly requireRecordable: () => Promise<void>
  /** Resolves when the record is on disk. */
  readonly record: (event: ServiceEvent) => Promise<void>
  /** Told of each key that is gone, with its rows. */
  readonly onDeleted: (name: KeyName) => void
  readonly log: Logger
}

/** What becomes due with master keys. All of it waits until the time counts as right. */
export function keyTasks(parts: KeyTaskParts): readonly TimedTask[] {
  const announced = new Set<string>()
  return [
    {
      name: 'delete keys',
      needsTrust: true,
      run: (now) => deleteDueKeys(parts, now),
      postpone(now, settlesInMs) {
        const waiting = parts.due.deletions(now.getTime()).filter((due) => !announced.has(lineOf(due)))
        for (const due of waiting) {
          announced.add(lineOf(due))
          parts.log.warn(
            { region: due.region, keyId: due.keyId, minutes: Math.ceil(settlesInMs / 60_000) },
            'a key will be deleted for good once this clock has run long enough to be trusted: is its time right?',
          )
        }
      },
    },
    { name: 'rotate keys', needsTrust: true, run: (now) => rotateDueKeys(parts, now) },
    {
      name: 'delete expired key material',
      needsTrust: true,
      run: (now) => deleteExpiredMaterial(parts, now),
    },
    {
      name: 'forget import tokens',
      needsTrust: false,
      run(now) {
        parts.store.importTokens.removeExpired(now)
      },
    },
  ]
}

/** The record comes first: from then on the deletion can't be cancelled any more. */
async function deleteDueKeys(parts: KeyTaskParts, now: Date): Promise<void> {
  await scrubbed(parts.store, (count) => deleteKeys(parts, now, count))
}

async function deleteKeys(parts: KeyTaskParts, now: Date, count: () => void): Promise<void> {
  const { store, due, onDeleted, log } = parts
  for (const { due: date, ...name } of due.deletions(now.getTime())) {
    // A deletion date that somebody wrote into the database is none.
    if (store.get(name)?.state !== 'PendingDeletion') continue
    await parts.requireRecordable()
    store.setBeingDeleted(name, true)
    try {
      await parts.record(event(parts, 'DeleteKey', name, { deletionDate: new Date(date).toISOString() }))
      if (!new Keys(store, name.region).delete(name.keyId, now)) continue
      count()
      onDeleted(name)
      log.warn(name, 'a key whose waiting period is over was deleted for good')
    } finally {
      store.setBeingDeleted(name, false)
    }
  }
}

async function rotateDueKeys(parts: KeyTaskParts, now: Date): Promise<void> {
  const { store, due, log } = parts
  for (const { region, keyId } of due.rotations(now.getTime())) {
    const keys = new Keys(store, region)
    const before = keys.get(keyId)
    if (before?.state !== 'Enabled' || before.origin !== 'AWS_KMS') continue
    await parts.requireRecordable()
    const after = keys.rotate(before, { type: 'AUTOMATIC', at: now.getTime() })
    log.info({ region, keyId, keyMaterialId: after.currentMaterialId }, 'rotated a key')
    const details = {
      rotationType: 'AUTOMATIC',
      keyOrigin: after.origin,
      previousKeyMaterialId: before.currentMaterialId,
      currentKeyMaterialId: after.currentMaterialId,
    }
    // All at once: if the trail fails just now, it owes all of them.
    await Promise.all(
      keys.relatedRegions(after).map((related) => {
        const name = related === region ? 'RotateKey' : 'SynchronizeMultiRegionKey'
        return parts.record(event(parts, name, { region: related, keyId }, details))
      }),
    )
  }
}

async function deleteExpiredMaterial(parts: KeyTaskParts, now: Date): Promise<void> {
  await scrubbed(parts.store, (count) => deleteMaterials(parts, now, count))
}

async function deleteMaterials(parts: KeyTaskParts, now: Date, count: () => void): Promise<void> {
  const { store, due, log } = parts
  for (const { materialId, due: date, ...name } of due.expiries(now.getTime())) {
    const keys = new Keys(store, name.region)
    if (!isExpired(keys, name.keyId, materialId, now)) continue
    await parts.requireRecordable()
    await parts.record(
      event(parts, 'DeleteExpiredKeyMaterial', name, {
        keyMaterialId: materialId,
        validTo: new Date(date).toISOString(),
      }),
    )
    const key = keys.get(name.keyId)
    // It may have been imported again while the record was written.
    if (key === undefined || !isExpired(keys, name.keyId, materialId, now)) continue
    keys.deleteMaterial(key, materialId)
    count()
    log.warn({ ...name, keyMaterialId: materialId }, 'imported key material has expired and was deleted')
  }
}

/** `work` counts what it removes, which is removed for good also when it fails half way. */
async function scrubbed(store: KeyStore, work: (count: () => void) => Promise<void>): Promise<void> {
  let removed = 0
  try {
    await work(() => removed++)
  } finally {
    if (removed > 0) store.scrub()
  }
}

function isExpired(keys: Keys, keyId: string, materialId: string, now: Date): boolean {
  const key = keys.get(keyId)
  const material = key?.materials.find(({ id }) => id === materialId)
  return key?.state !== 'Unavailable' && material?.expiresAt !== undefined && material.expiresAt <= now
}

function event(
  { accountId }: KeyTaskParts,
  eventName: string,
  { region, keyId }: KeyName,
  details: Record<string, unknown>,
): ServiceEvent {
  const account = { accountId, region }
  return { eventName, account, keyArns: [keyArn(account, keyId)], details: { keyId, ...details } }
}

function lineOf({ region, keyId, due }: Due): string {
  return `${region} ${keyId} ${due}`
}
