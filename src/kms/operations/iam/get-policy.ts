import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { policyArn } from './members.ts'
import { existing, seekPolicy } from './sought.ts'
import { wholePolicyStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html */
export const getPolicy = operation({
  name: 'GetPolicy',
  readOnly: true,
  input: z.object({ PolicyArn: policyArn }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:GetPolicy', policy)],
  run: (_input, policy, { state }) => ({ Policy: wholePolicyStructure(existing(policy), state) }),
})
