import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { existingVersion } from './managed-policy.ts'
import { policyArn, versionId } from './members.ts'
import { existing, seekPolicy } from './sought.ts'
import { wholeVersionStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html */
export const getPolicyVersion = operation({
  name: 'GetPolicyVersion',
  readOnly: true,
  input: z.object({ PolicyArn: policyArn, VersionId: versionId }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:GetPolicyVersion', policy)],
  run({ VersionId }, sought) {
    const policy = existing(sought)
    return { PolicyVersion: wholeVersionStructure(existingVersion(policy, VersionId), policy) }
  },
})
