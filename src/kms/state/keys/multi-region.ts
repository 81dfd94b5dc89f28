import type { KeyRecord } from './key-record.ts'

/** What a replica has of its own; all else it shares with its primary key. */
export interface ReplicaAttributes {
  readonly region: string
  readonly description: string
  readonly policy: string
  readonly policyPrincipals: string
  readonly tags: string
  readonly now: number
}

/** Imported key material is not copied: it has to be imported into each region. */
export function replicaOf({ row, materials }: KeyRecord, attributes: ReplicaAttributes): KeyRecord {
  return {
    row: {
      ...row,
      region: attributes.region,
      description: attributes.description,
      policy: attributes.policy,
      policy_principals: attributes.policyPrincipals,
      tags: attributes.tags,
      enabled: 1,
      multi_region: 'REPLICA',
      deletion_date: null,
      pending_window_days: null,
      created_at: attributes.now,
    },
    materials:
      row.origin === 'EXTERNAL'
        ? materials.map((material) => ({ ...material, sealed_secret: null, expires_at: null }))
        : materials,
  }
}

/** One of the related keys, after the one in `region` has become the primary key. */
export function withPrimaryRegion({ row, materials }: KeyRecord, region: string): KeyRecord {
  const type = row.region === region ? 'PRIMARY' : 'REPLICA'
  return { row: { ...row, multi_region: type, primary_region: region }, materials }
}
