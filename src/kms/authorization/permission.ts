import type { EncryptionContext } from '../ciphertext.ts'
import type { ConditionContext } from '../policy/conditions.ts'
import type { ApplicableGrant, NewGrant } from '../policy/grant.ts'
import type { Key } from '../state/keys/key.ts'
import type { Role } from '../state/roles.ts'

/** Something that the caller has to be allowed. */
export interface Permission {
  /** Such as `kms:Decrypt`. */
  readonly action: string
  /** The key that it is about; its policy decides. Undefined: it concerns something else, or the whole account. */
  readonly key?: Key
  /** The ARN that it is about, unless that is a key; `*` when left out. */
  readonly resource?: string
  /** The role whose trust policy decides; `nobody`: there is no such role, and so nothing is allowed. */
  readonly trustOf?: Role | 'nobody'
  readonly encryptionContext?: EncryptionContext
  /** Set for Encrypt, Decrypt and the like. */
  readonly encryptionAlgorithm?: string
  /** The alias by which the request names the key. */
  readonly requestAlias?: string | undefined
  readonly bypassesLockoutCheck?: boolean
  /** For kms:CreateGrant: what is to be granted. */
  readonly newGrant?: NewGrant
  /**
   * For kms:RetireGrant: what the grant says of who may retire it. The key's policy allows nothing then, and its other
   * grants don't either; what the policy denies is denied.
   */
  readonly grants?: readonly ApplicableGrant[]
  /** What else conditions may ask about, by key in lower case. */
  readonly conditionKeys?: ConditionContext
}

/** The ARN that the permission is about, or `*`. */
export function resourceOf({ key, resource }: Permission): string {
  return key?.arn ?? resource ?? '*'
}
