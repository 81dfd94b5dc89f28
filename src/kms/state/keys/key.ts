import type { BackingKey } from '../../backing-key.ts'
import type { PolicyDocument } from '../../policy/document.ts'
import type { MaterialRow } from './key-record.ts'

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export type KeyState =
  'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'PendingReplicaDeletion' | 'Unavailable'

/** Where a key is. */
export interface KeyName {
  readonly region: string
  readonly keyId: string
}

/** A master key, unsealed, as it was when it was looked up: what changes it makes another object. */
export interface Key {
  readonly keyId: string
  readonly arn: string
  readonly region: string
  readonly description: string
  readonly createdAt: Date
  readonly state: KeyState
  readonly origin: 'AWS_KMS' | 'EXTERNAL'
  /** Undefined for a key of one region. */
  readonly multiRegion: { readonly type: 'PRIMARY' | 'REPLICA'; readonly primaryRegion: string } | undefined
  readonly tags: ReadonlyMap<string, string>
  /** When it is deleted; set in the state PendingDeletion alone. */
  readonly deletionDate: Date | undefined
  /** What a primary key waits for once its replicas are gone; set in the state PendingReplicaDeletion alone. */
  readonly pendingWindowDays: number | undefined
  /** Automatic rotation; undefined: it is off. */
  readonly rotation: { readonly periodDays: number; readonly nextDate: Date } | undefined
  /** The key policy as it was put. */
  readonly policy: string
  readonly policyDocument: PolicyDocument
  /** The unique id of each user and role that the policy names by ARN, as it was when the policy was put. */
  readonly policyPrincipals: ReadonlyMap<string, string>
  /** All key material that it has or had, the oldest first. */
  readonly materials: readonly KeyMaterial[]
  /** Amazon's `CurrentKeyMaterialId`; undefined while nothing was ever imported. */
  readonly currentMaterialId: string | undefined
  /** What new blobs are made with; there whenever the state is Enabled. */
  readonly currentBackingKey: BackingKey | undefined
  /** What blobs are opened with, by id: the current one and all older ones. */
  readonly backingKeys: ReadonlyMap<string, BackingKey>
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_RotationsListEntry.html */
export interface KeyMaterial {
  readonly id: string
  readonly state: MaterialRow['state']
  /** How and when it became current; undefined for the first, and for what is pending rotation. */
  readonly rotation: { readonly type: 'AUTOMATIC' | 'ON_DEMAND'; readonly date: Date } | undefined
  readonly description: string | undefined
  readonly expiresAt: Date | undefined
  /** False: it was imported into another region only, or it expired or was deleted. */
  readonly isPresent: boolean
}

/** 25 times, says the reference; https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html */
export const maxOnDemandRotations = 25
