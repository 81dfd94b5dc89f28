import { z } from 'zod'
import { managedPolicyArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { requestTags } from './condition-keys.ts'
import { requireManagedPolicy } from './managed-policy.ts'
import { policyDescription, policyDocument, policyName, policyPath, tags } from './members.ts'
import { quotas, requireRoom } from './quotas.ts'
import { wholePolicyStructure } from './structures.ts'
import { newTags } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html */
export const createPolicy = operation({
  name: 'CreatePolicy',
  readOnly: false,
  input: z.object({
    Description: policyDescription.optional(),
    Path: policyPath.default('/'),
    PolicyDocument: policyDocument,
    PolicyName: policyName,
    Tags: tags.optional(),
  }),
  find: (input, { state }) => managedPolicyArn(state.account.accountId, input.Path, input.PolicyName),
  permissions: ({ Tags = [] }, resource) => [
    { action: 'iam:CreatePolicy', resource, conditionKeys: requestTags(Tags) },
    ...(Tags.length === 0 ? [] : [{ action: 'iam:TagPolicy', resource, conditionKeys: requestTags(Tags) }]),
  ],
  run(input, _arn, { state }) {
    if (state.managedPolicies.named(input.PolicyName) !== undefined) {
      throw new AwsException(
        'EntityAlreadyExists',
        `A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`,
      )
    }
    requireManagedPolicy(input.PolicyDocument)
    requireRoom('PoliciesPerAccount', state.managedPolicies.count, quotas.policies)
    const policy = state.managedPolicies.create({
      policyName: input.PolicyName,
      path: input.Path,
      description: input.Description,
      tags: newTags(input.Tags),
      document: input.PolicyDocument,
    })
    return { Policy: wholePolicyStructure(policy, state) }
  },
  recordedAnswer: ({ Policy }) => ({
    policy: { arn: Policy['Arn'], policyId: Policy['PolicyId'], policyName: Policy['PolicyName'] },
  }),
})
