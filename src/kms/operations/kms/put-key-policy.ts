import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { checkedKeyPolicy, requirePolicyName } from './key-policy.ts'
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
    const document = checkedKeyPolicy(input.Policy, {
      key,
      bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck,
      call,
    })
    call.state.keys.setPolicy(key, input.Policy, document)
    return undefined
  },
})
