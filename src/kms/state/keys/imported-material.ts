import type { KeyRecord, MaterialRow } from './key-record.ts'

/** Key material that was imported, sealed already. */
export interface ImportedMaterial {
  readonly id: string
  readonly generation: number
  readonly sealed: Uint8Array
  readonly expiresAt: number | undefined
  /** Undefined: as it was. */
  readonly description: string | undefined
}

/**
 * The record with key material that is new to the key: the current one when it is the first, otherwise pending rotation.
 * `sealed` undefined: it was imported into the primary key, and this is a replica, which needs the same.
 */
export function withNewMaterial(
  record: KeyRecord,
  material: Omit<ImportedMaterial, 'sealed'> & { sealed: Uint8Array | undefined },
  now: number,
): KeyRecord {
  const added: MaterialRow = {
    backing_key_id: material.id,
    generation: material.generation,
    sealed_secret: material.sealed ?? null,
    state: record.materials.length === 0 ? 'CURRENT' : 'PENDING_ROTATION',
    rotation_type: null,
    rotated_at: null,
    description: material.description ?? null,
    expires_at: material.expiresAt ?? null,
    created_at: now,
  }
  return enabledWhenComplete(record, [...record.materials, added], now)
}

/** The record with key material that it knows imported again. */
export function withMaterialAgain(record: KeyRecord, material: ImportedMaterial, now: number): KeyRecord {
  const materials = record.materials.map((row) =>
    row.backing_key_id === material.id
      ? {
          ...row,
          sealed_secret: material.sealed,
          expires_at: material.expiresAt ?? null,
          description: material.description ?? row.description,
        }
      : row,
  )
  return enabledWhenComplete(record, materials, now)
}

/** The record without the bytes of one key material; what is pending rotation belongs to the key no more. */
export function withoutMaterial(record: KeyRecord, id: string): KeyRecord {
  const isDropped = (row: MaterialRow): boolean =>
    row.backing_key_id === id && row.state === 'PENDING_ROTATION' && record.row.multi_region !== 'REPLICA'
  return {
    row: record.row,
    materials: record.materials
      .filter((row) => !isDropped(row))
      .map((row) =>
        row.backing_key_id === id && row.sealed_secret !== null
          ? { ...row, sealed_secret: null, expires_at: null }
          : row,
      ),
  }
}

/** The record of a replica from whose primary key the pending key material was deleted. */
export function withoutPendingMaterial(record: KeyRecord): KeyRecord {
  return {
    row: record.row,
    materials: record.materials.filter(({ state }) => state !== 'PENDING_ROTATION'),
  }
}

/** Importing the last key material that was missing makes the key Enabled, says the reference, whatever it was before. */
function enabledWhenComplete(before: KeyRecord, materials: readonly MaterialRow[], now: number): KeyRecord {
  const becomesComplete = !isComplete(before.materials, now) && isComplete(materials, now)
  return { row: becomesComplete ? { ...before.row, enabled: 1 } : before.row, materials }
}

/** Whether all key material that belongs to the key for good is there. */
export function isComplete(materials: readonly MaterialRow[], now: number): boolean {
  const permanent = materials.filter(({ state }) => state !== 'PENDING_ROTATION')
  return permanent.length > 0 && permanent.every((material) => isPresent(material, now))
}

/** What has expired is as good as gone, also before its bytes are removed. */
export function isPresent({ sealed_secret: sealed, expires_at: end }: MaterialRow, now: number): boolean {
  return sealed !== null && (end === null || end > now)
}
