import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { existingVersion } from './managed-policy.ts'
import { policyArn, versionId } from './members.ts'
import { ownPolicy, seekPolicy } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html */
export const deletePolicyVersion = operation({
  name: 'DeletePolicyVersion',
  readOnly: false,
  input: z.object({ PolicyArn: policyArn, VersionId: versionId }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:DeletePolicyVersion', policy)],
  run({ VersionId }, sought, { state }) {
    const policy = ownPolicy(sought)
    const { number } = existingVersion(policy, VersionId)
    if (number === policy.defaultVersion.number) {
      throw new AwsException('DeleteConflict', 'Cannot delete the default version of a policy.')
    }
    state.managedPolicies.deleteVersion(policy, number)
    return undefined
  },
})
