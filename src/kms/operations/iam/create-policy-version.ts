import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { formBoolean } from '../../protocol/form-types.ts'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { requireManagedPolicy } from './managed-policy.ts'
import { policyArn, policyDocument } from './members.ts'
import { quotas } from './quotas.ts'
import { ownPolicy, seekPolicy } from './sought.ts'
import { versionIdOf } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html */
export const createPolicyVersion = operation({
  name: 'CreatePolicyVersion',
  readOnly: false,
  input: z.object({
    PolicyArn: policyArn,
    PolicyDocument: policyDocument,
    SetAsDefault: formBoolean.default(false),
  }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:CreatePolicyVersion', policy)],
  run({ PolicyDocument, SetAsDefault }, sought, { state }) {
    const policy = ownPolicy(sought)
    requireManagedPolicy(PolicyDocument)
    if (policy.versions.size >= quotas.versionsPerPolicy) {
      throw new AwsException(
        'LimitExceededException',
        `A managed policy can have up to ${quotas.versionsPerPolicy} versions. ` +
          'Before you create a new version, you must delete an existing version.',
      )
    }
    const version = state.managedPolicies.addVersion(policy, PolicyDocument, SetAsDefault)
    return {
      PolicyVersion: {
        VersionId: versionIdOf(version),
        IsDefaultVersion: SetAsDefault,
        CreateDate: version.createdAt,
      },
    }
  },
  recordedAnswer: ({ PolicyVersion }) => ({
    policyVersion: { versionId: PolicyVersion.VersionId, isDefaultVersion: PolicyVersion.IsDefaultVersion },
  }),
})
