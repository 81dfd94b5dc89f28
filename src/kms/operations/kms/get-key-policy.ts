import { z } from 'zod'
import { shownPolicy } from '../../policy/bound-principals.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { onlyPolicyName, requirePolicyName } from './key-policy.ts'
import { keyId, policyName } from './members.ts'

/**
 * As it was put, but who is no more stands there with the unique id that is left.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
 */
export const getKeyPolicy = operation({
  name: 'GetKeyPolicy',
  readOnly: true,
  input: z.object({ KeyId: keyId, PolicyName: policyName }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:GetKeyPolicy', key }],
  run(input, key, { state }) {
    requirePolicyName(input.PolicyName)
    const Policy = shownPolicy(key.policy, key.policyPrincipals, state.principals)
    return { Policy, PolicyName: onlyPolicyName }
  },
})
