/** Where a policy stands. Identity policies and session policies differ in where they come from alone. */
export type PolicyKind = 'key' | 'identity' | 'trust' | 'session'

interface PolicyKindRow {
  readonly hasPrincipals: boolean
  /** Whether those may be whom identity providers vouch for, who can do nothing but assume a role. */
  readonly hasFederated: boolean
  readonly hasResources: boolean
  /** Whether the policy may speak of the actions that fit the pattern. */
  readonly acceptsActions: (pattern: string) => boolean
  readonly actions: string
}

const anyAction = /^(\*|(kms|iam|sts|cloudtrail):[a-z0-9*?]+)$/i

const identity: PolicyKindRow = {
  hasPrincipals: false,
  hasFederated: false,
  hasResources: true,
  acceptsActions: (pattern) => anyAction.test(pattern),
  actions: 'kms, iam, sts or cloudtrail',
}

export const policyKinds: Readonly<Record<PolicyKind, PolicyKindRow>> = {
  key: {
    hasPrincipals: true,
    hasFederated: false,
    hasResources: true,
    acceptsActions: (pattern) => /^(\*|kms:[a-z*?]+)$/i.test(pattern),
    actions: 'KMS',
  },
  identity,
  session: identity,
  trust: {
    hasPrincipals: true,
    hasFederated: true,
    hasResources: false,
    acceptsActions: (pattern) =>
      /^sts:(assumerole|assumerolewithsaml|assumerolewithwebidentity|tagsession|setsourceidentity|setcontext|[a-z]*\*)$/i.test(
        pattern,
      ),
    actions: 'STS for assuming a role',
  },
}
