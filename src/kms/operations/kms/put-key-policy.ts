import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { checkedKeyPolicy, requirePolicyName } from './key-policy.ts'
import { requireKeyState } from './key-states.ts'
import { flag, keyId, policy, policyName } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html */
export const putKeyPolicy = operation({
  name: 'PutKeyPolicy',
  readOnly: false,
  input: z.object({
    BypassPolicyLockoutSafetyCheck: flag,
    KeyId: keyId,
    Policy: policy,
    PolicyName: policyName,
  }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (input, key) => [
    {
      action: 'kms:PutKeyPolicy',
      key,
      bypassesLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
    },
  ],
  run(input, key, call) {
    requirePolicyName(input.PolicyName)
    requireKeyState('PutKeyPolicy', key)
    const principals = checkedKeyPolicy(input.Policy, {
      key,
      bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck,
      call,
    })
    call.state.keys.setPolicy(key, input.Policy, principals)
    return undefined
  },
})
