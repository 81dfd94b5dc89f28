import type { RootKey } from '../../seal/root-key.ts'
import type { KeyRecord } from './key-record.ts'

/**
 * A tag over all that decides what a master key does and for whom: whoever can write the database, and has not the root
 * key, can't enable a key, put another policy or delete it. The secrets themselves are sealed; here is whether they are
 * there. Which of two states that a key was in is the newer one, no tag can tell: a row that was put back whole is right.
 */
export function stateTag(record: KeyRecord, rootKey: RootKey): Buffer {
  return rootKey.tag(owner(record), content(record))
}

export function isStateTag(tag: Uint8Array | null, record: KeyRecord, rootKey: RootKey): boolean {
  return tag !== null && rootKey.isTag(tag, owner(record), content(record))
}

function owner({ row }: KeyRecord): string {
  return `state of key ${row.key_id} in ${row.region}`
}

/** Every value in its place, so that no two states have the same bytes. */
function content({ row, materials }: KeyRecord): Buffer {
  const values = [
    row.description,
    row.enabled,
    row.policy,
    row.policy_principals,
    row.tags,
    row.origin,
    row.multi_region,
    row.primary_region,
    row.deletion_date,
    row.pending_window_days,
    row.rotation_period_days,
    row.rotation_due,
    row.created_at,
    materials.map((material) => [
      material.backing_key_id,
      material.generation,
      material.sealed_secret !== null,
      material.state,
      material.rotation_type,
      material.rotated_at,
      material.description,
      material.expires_at,
      material.created_at,
    ]),
  ]
  return Buffer.from(JSON.stringify(values), 'utf8')
}
