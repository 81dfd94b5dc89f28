import { findPrincipals } from '../../policy/bound-principals.ts'
import { parseTrustPolicy } from '../../policy/document.ts'
import { malformed } from '../../policy/malformed.ts'
import type { Trust } from '../../state/roles.ts'
import type { State } from '../call.ts'
import { exceeded, policySize, quotas } from './quotas.ts'

/**
 * A new trust policy, which means the users and roles that have these names now. Throws MalformedPolicyDocument, also
 * for a name that nobody has, and LimitExceeded for one that is too large.
 */
export function checkedTrust(document: string, { principals }: State): Trust {
  if (policySize(document) > quotas.trustPolicySize) {
    throw exceeded('ACLSizePerRole', quotas.trustPolicySize)
  }
  const policy = parseTrustPolicy(document)
  const { ids, missing } = findPrincipals(policy, principals)
  if (missing[0] !== undefined) throw malformed(`Invalid principal in policy: "AWS":"${missing[0]}"`)
  return { document, principalIds: ids }
}
