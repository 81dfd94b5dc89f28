import type { Tags } from './plan.ts'

/** Who asks, by STS. */
export interface Caller {
  readonly arn: string
  readonly accountId: string
  readonly partition: string
}

/** What is there already. */
export interface Found {
  readonly identity: FoundIdentity | undefined
  readonly masterKey: FoundMasterKey | undefined
}

export interface FoundIdentity {
  readonly arn: string
  readonly path: string
  readonly tags: Tags
  /** Of a role. */
  readonly trustPolicy?: string | undefined
  /** Of a user. */
  readonly accessKeys: readonly FoundAccessKey[]
  /** What else gives it rights: policies and groups. */
  readonly otherRights: readonly string[]
}

export interface FoundAccessKey {
  readonly id: string
  readonly isActive: boolean
  readonly createdAt: Date | undefined
  /** undefined: AWS knows of no use. */
  readonly lastUsedAt: Date | undefined
}

export interface FoundMasterKey {
  readonly keyId: string
  readonly arn: string
  /** Whether the alias names it. Without it the key was made, and the alias not yet. */
  readonly hasAlias: boolean
  /** `Enabled`, `Disabled`, `PendingDeletion` … */
  readonly state: string
  readonly deletionDate: Date | undefined
  /** Why it can't be a server's master key; undefined: it can. */
  readonly unfit: string | undefined
  /** `AWS_KMS`: the material is AWS's own. Else somebody has brought it, and may know it. */
  readonly origin: string
  readonly description: string
  readonly tags: Tags
  readonly policy: string | undefined
}
