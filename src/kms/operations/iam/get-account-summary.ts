import { z } from 'zod'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { quotas } from './quotas.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
export const getAccountSummary = operation({
  name: 'GetAccountSummary',
  readOnly: true,
  input: z.object({}),
  find: () => undefined,
  permissions: () => [{ action: 'iam:GetAccountSummary' }],
  run: (_input, _found, { state }) => ({ SummaryMap: new Map([...counts(state), ...quotaEntries]) }),
})

const quotaEntries: readonly (readonly [string, number])[] = [
  ['AccessKeysPerUserQuota', quotas.accessKeysPerUser],
  ['AttachedPoliciesPerGroupQuota', quotas.attachedPoliciesPerEntity],
  ['AttachedPoliciesPerRoleQuota', quotas.attachedPoliciesPerEntity],
  ['AttachedPoliciesPerUserQuota', quotas.attachedPoliciesPerEntity],
  ['AssumeRolePolicySizeQuota', quotas.trustPolicySize],
  ['GroupPolicySizeQuota', quotas.inlinePolicySize.Group],
  ['GroupsPerUserQuota', quotas.groupsPerUser],
  ['GroupsQuota', quotas.groups],
  ['PoliciesQuota', quotas.policies],
  ['PolicySizeQuota', quotas.managedPolicySize],
  ['RolePolicySizeQuota', quotas.inlinePolicySize.Role],
  ['RolesQuota', quotas.roles],
  ['UserPolicySizeQuota', quotas.inlinePolicySize.User],
  ['UsersQuota', quotas.users],
  ['VersionsPerPolicyQuota', quotas.versionsPerPolicy],
]

function counts(state: State): (readonly [string, number])[] {
  const devices = state.mfaDevices.all()
  const policies = state.managedPolicies.all().filter(({ builtIn }) => !builtIn)
  return [
    ['AccountAccessKeysPresent', state.accessKeys.ofUser(undefined).length > 0 ? 1 : 0],
    ['AccountMFAEnabled', devices.some(({ owner }) => owner === 'root') ? 1 : 0],
    ['Groups', state.groups.count],
    ['MFADevices', devices.length],
    ['MFADevicesInUse', devices.filter(({ owner }) => owner !== undefined).length],
    ['Policies', state.managedPolicies.count],
    ['PolicyVersionsInUse', policies.reduce((sum, { versions }) => sum + versions.size, 0)],
    ['Providers', state.oidcProviders.count],
    ['Roles', state.roles.count],
    ['Users', state.users.count],
  ]
}
