import { z } from 'zod'
import { managedPolicyArn } from '../../arn.ts'
import { formBoolean } from '../../protocol/form-types.ts'
import type { ManagedPolicy } from '../../state/managed-policy.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { pageMembers, policyPath } from './members.ts'
import { page } from './pages.ts'
import { policyStructure } from './structures.ts'

const input = z.object({
  ...pageMembers,
  OnlyAttached: formBoolean.default(false),
  PathPrefix: policyPath.default('/'),
  PolicyUsageFilter: z.enum(['PermissionsPolicy', 'PermissionsBoundary']).optional(),
  Scope: z.enum(['All', 'AWS', 'Local']).default('All'),
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html */
export const listPolicies = operation({
  name: 'ListPolicies',
  readOnly: true,
  input,
  find: () => undefined,
  permissions: ({ PathPrefix }, _found, { state }) => [
    { action: 'iam:ListPolicies', resource: managedPolicyArn(state.account.accountId, PathPrefix, '') },
  ],
  run(wanted, _found, { state }) {
    const policies = state.managedPolicies.all().filter((policy) => isWanted(policy, wanted, state))
    const { items, more } = page(policies, wanted, ({ arn }) => arn)
    return { Policies: items.map((policy) => policyStructure(policy, state)), ...more }
  },
})

function isWanted(policy: ManagedPolicy, wanted: z.infer<typeof input>, state: State): boolean {
  // There are no permissions boundaries, so no policy is used as one.
  if (wanted.PolicyUsageFilter === 'PermissionsBoundary') return false
  if (wanted.Scope !== 'All' && policy.builtIn !== (wanted.Scope === 'AWS')) return false
  const isAttached = state.attachedPolicies.ownerIdsOf(policy.policyId).length > 0
  return policy.path.startsWith(wanted.PathPrefix) && (isAttached || !wanted.OnlyAttached)
}
