import { AwsException } from '../../protocol/exceptions.ts'

/**
 * Amazon's default quotas, and its own sizes of policies: characters, white space left out.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const quotas = {
  users: 5000,
  groups: 300,
  roles: 1000,
  policies: 1500,
  accessKeysPerUser: 2,
  groupsPerUser: 10,
  oidcProviders: 100,
  clientIdsPerOidcProvider: 100,
  thumbprintsPerOidcProvider: 5,
  mfaDevicesPerUser: 8,
  attachedPoliciesPerEntity: 10,
  versionsPerPolicy: 5,
  managedPolicySize: 6144,
  trustPolicySize: 2048,
  inlinePolicySize: { User: 2048, Group: 5120, Role: 10_240 },
} as const

/** Throws LimitExceeded when there are that many already. */
export function requireRoom(name: string, count: number, quota: number): void {
  if (count >= quota) throw exceeded(name, quota)
}

export function exceeded(name: string, quota: number): AwsException {
  return new AwsException('LimitExceededException', `Cannot exceed quota for ${name}: ${quota}`)
}

/** As the quotas count it. */
export function policySize(document: string): number {
  return document.replace(/\s/g, '').length
}
