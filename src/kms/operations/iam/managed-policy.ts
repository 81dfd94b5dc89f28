import { parseIdentityPolicy } from '../../policy/document.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { ManagedPolicy, PolicyVersion } from '../../state/managed-policy.ts'
import { exceeded, policySize, quotas } from './quotas.ts'

/** Throws MalformedPolicyDocument, and LimitExceeded for one that is too large. */
export function requireManagedPolicy(document: string): void {
  if (policySize(document) > quotas.managedPolicySize) {
    throw exceeded('PolicySize', quotas.managedPolicySize)
  }
  parseIdentityPolicy(document)
}

/** `versionId`: `v1`, `v2` … Throws NoSuchEntity. */
export function existingVersion(policy: ManagedPolicy, versionId: string): PolicyVersion {
  const version = policy.versions.get(Number(versionId.slice(1)))
  if (version === undefined) {
    throw new AwsException(
      'NoSuchEntity',
      `Policy ${policy.arn} version ${versionId} does not exist or is not attachable.`,
    )
  }
  return version
}
