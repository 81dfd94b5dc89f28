/** Who an OpenID Connect provider says that somebody is, as far as policies may ask. */
export interface WebIdentity {
  readonly providerArn: string
  /** `HOST/PATH`. */
  readonly providerName: string
  readonly subject: string
  /** The client that the token was given to. */
  readonly audience: string
  /** What the token has as `aud`, where its `azp` says which client it was given to. */
  readonly otherAudiences: readonly string[]
  /** How the subject proved who it is, by the provider's account. */
  readonly methods: readonly string[]
}

/**
 * What it tells conditions, by key in lower case: `HOST/PATH:sub`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function claimKeys(identity: WebIdentity): ReadonlyMap<string, readonly string[]> {
  const { providerName, subject, audience, otherAudiences, methods } = identity
  const prefix = `${providerName.toLowerCase()}:`
  const some = (claim: string, values: readonly string[]): [string, readonly string[]][] =>
    values.length === 0 ? [] : [[prefix + claim, values]]
  return new Map([
    ...some('aud', [audience]),
    ...some('oaud', otherAudiences),
    ...some('sub', [subject]),
    ...some('amr', methods),
  ])
}
