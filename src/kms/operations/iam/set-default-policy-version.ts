import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { existingVersion } from './managed-policy.ts'
import { policyArn, versionId } from './members.ts'
import { ownPolicy, seekPolicy } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html */
export const setDefaultPolicyVersion = operation({
  name: 'SetDefaultPolicyVersion',
  readOnly: false,
  input: z.object({ PolicyArn: policyArn, VersionId: versionId }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:SetDefaultPolicyVersion', policy)],
  run({ VersionId }, sought, { state }) {
    const policy = ownPolicy(sought)
    state.managedPolicies.setDefaultVersion(policy, existingVersion(policy, VersionId).number)
    return undefined
  },
})
