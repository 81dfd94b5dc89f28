import { z } from 'zod'
import { rootUserArn } from '../../arn.ts'
import { defaultKeyPolicy } from '../../policy/document.ts'
import { notYet } from '../../protocol/validation.ts'
import { operation } from '../operation.ts'
import { keyMetadata } from './key-metadata.ts'
import { checkedKeyPolicy } from './key-policy.ts'
import { flag, keySpec, keyUsage, origin, policy } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html */
export const createKey = operation({
  name: 'CreateKey',
  readOnly: false,
  input: z.object({
    BypassPolicyLockoutSafetyCheck: flag,
    CustomerMasterKeySpec: keySpec,
    CustomKeyStoreId: notYet('CustomKeyStoreId'),
    Description: z.string().max(8192).optional(),
    KeySpec: keySpec,
    KeyUsage: keyUsage,
    MultiRegion: notYet('MultiRegion'),
    Origin: origin,
    Policy: policy.optional(),
    Tags: notYet('Tags'),
    XksKeyId: notYet('XksKeyId'),
  }),
  find: () => undefined,
  permissions: () => [{ action: 'kms:CreateKey' }],
  run(input, _found, call) {
    const { state } = call
    if (input.Policy !== undefined) {
      checkedKeyPolicy(input.Policy, {
        // The key has no id yet: a policy that names keys by ARN has to be put afterwards.
        key: { arn: '*' },
        bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck,
        call,
      })
    }
    const key = state.keys.create({
      description: input.Description ?? '',
      policy: input.Policy ?? defaultKeyPolicy(rootUserArn(state.account.accountId)),
    })
    call.seen.keyArns = [key.arn]
    return { KeyMetadata: keyMetadata(key, state) }
  },
  recordedAnswer: ({ KeyMetadata }) => ({
    keyMetadata: { keyId: KeyMetadata['KeyId'], arn: KeyMetadata['Arn'] },
  }),
})
