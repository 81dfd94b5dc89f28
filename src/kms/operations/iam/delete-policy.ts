import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { policyArn } from './members.ts'
import { ownPolicy, seekPolicy } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html */
export const deletePolicy = operation({
  name: 'DeletePolicy',
  readOnly: false,
  input: z.object({ PolicyArn: policyArn }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:DeletePolicy', policy)],
  run(_input, sought, { state }) {
    const policy = ownPolicy(sought)
    if (state.attachedPolicies.ownerIdsOf(policy.policyId).length > 0) {
      throw new AwsException('DeleteConflict', 'Cannot delete a policy attached to entities.')
    }
    if (policy.versions.size > 1) {
      throw new AwsException(
        'DeleteConflict',
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. " +
          'The default version is deleted with the policy.',
      )
    }
    state.managedPolicies.delete(policy)
    return undefined
  },
})
