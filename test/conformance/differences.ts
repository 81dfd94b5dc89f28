import type { ConformanceCase } from './conformance-case.ts'

/** A case in which the service does something else than Amazon documents, and why. */
export interface DifferingCase extends Pick<ConformanceCase, 'operation' | 'topic' | 'variation'> {
  /** What comes instead. */
  readonly ours: string
  readonly why: string
}

/** What differs and is not a matter of one answer. `operation` is `*` for what concerns all. */
export interface Difference {
  readonly operation: string
  readonly what: string
  readonly why: string
}

export const differingCases: readonly DifferingCase[] = [
  'PutKeyPolicy',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateKeyDescription',
].map((operation) => ({
  operation,
  topic: 'key state',
  variation: 'Unavailable',
  ours: 'KMSInvalidStateException',
  why:
    'At Amazon a key is unavailable while its custom key store is disconnected. Here its row in the database was altered from outside, and a ' +
    'change would make what was altered look right.',
}))

export const differences: readonly Difference[] = [
  {
    operation: '*',
    what: 'An encryption context has at most 8,192 bytes, keys and values together.',
    why: 'Amazon documents no bound; without one a single request could hold the service up.',
  },
  {
    operation: '*',
    what: 'A JSON request or a policy in which a name stands twice in one place is refused.',
    why: 'Which of the two counts is not defined, so a Deny could hide behind an Allow.',
  },
  {
    operation: '*',
    what: 'A change acts at once.',
    why: 'There is one service, so nothing has to spread: grant tokens are checked, and not needed.',
  },
  {
    operation: '*',
    what: '`Recipient` (Nitro enclaves) is refused.',
    why: 'No attestation document of AWS can be verified here.',
  },
  {
    operation: 'AssumeRoleWithWebIdentity',
    what: 'Only tokens of OpenID Connect providers that are registered in IAM are taken; IDPRejectedClaim never comes.',
    why: 'A signature is verified here: no provider is asked about a single token.',
  },
  {
    operation: 'AssumeRoleWithWebIdentity',
    what: 'A token that names several audiences and no `azp` is refused.',
    why: 'OpenID Connect asks for `azp` then: nothing else says whose token it is.',
  },
  {
    operation: 'CreateOpenIDConnectProvider',
    what: 'Without a thumbprint, only authorities are trusted.',
    why: 'Amazon asks the provider for its certificate and lists that; whoever answers at that moment would be trusted for good.',
  },
  {
    operation: 'CreateOpenIDConnectProvider',
    what: 'The URL may name a port.',
    why: 'A site’s own provider may have no other.',
  },
  {
    operation: 'Decrypt',
    what: 'Any changed byte of a blob gives InvalidCiphertextException, also one in the part that names the key.',
    why: 'A key id that never existed here can only come from damage.',
  },
]

/** What a service that follows the documentation answers, or else what ours does. */
export function expectedOutcome({ operation, topic, variation, outcome }: ConformanceCase): string {
  const differing = differingCases.find(
    (one) => one.operation === operation && one.topic === topic && one.variation === variation,
  )
  return differing?.ours ?? outcome
}
