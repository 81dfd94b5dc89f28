import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { onlyPolicyName, requirePolicyName } from './key-policy.ts'
import { keyId, policyName } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
export const getKeyPolicy = operation({
  name: 'GetKeyPolicy',
  readOnly: true,
  input: z.object({ KeyId: keyId, PolicyName: policyName }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:GetKeyPolicy', key }],
  run(input, key) {
    requirePolicyName(input.PolicyName)
    return { Policy: key.policy, PolicyName: onlyPolicyName }
  },
})
