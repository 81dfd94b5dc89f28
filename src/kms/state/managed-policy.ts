export interface ManagedPolicy {
  /** `ANPA` and 16 letters or digits. */
  readonly policyId: string
  readonly policyName: string
  readonly path: string
  readonly arn: string
  readonly description: string | undefined
  readonly tags: ReadonlyMap<string, string>
  /** By number. */
  readonly versions: ReadonlyMap<number, PolicyVersion>
  readonly defaultVersion: PolicyVersion
  /** Whether it is one of those that every account has and nobody can change. */
  readonly builtIn: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface PolicyVersion {
  /** From 1 on; a number is not used again. */
  readonly number: number
  /** As it was put. */
  readonly document: string
  readonly createdAt: Date
}
