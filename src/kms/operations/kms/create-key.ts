import { z } from 'zod'
import { rootUserArn } from '../../arn.ts'
import type { ConditionContext } from '../../policy/conditions.ts'
import { defaultKeyPolicy } from '../../policy/document.ts'
import type { PrincipalIds } from '../../policy/bound-principals.ts'
import type { Permission } from '../authorize.ts'
import type { Call } from '../call.ts'
import { operation } from '../operation.ts'
import { keyMetadata } from './key-metadata.ts'
import { checkedKeyPolicy } from './key-policy.ts'
import { symmetricDefault } from './key-use.ts'
import {
  customKeyStoreId,
  description,
  flag,
  keySpec,
  keyUsage,
  origin,
  policy,
  xksKeyId,
} from './members.ts'
import { readTags, requestTagConditions, tagList } from './tags.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html */
export const createKey = operation({
  name: 'CreateKey',
  readOnly: false,
  input: z.object({
    BypassPolicyLockoutSafetyCheck: flag,
    CustomerMasterKeySpec: keySpec,
    CustomKeyStoreId: customKeyStoreId,
    Description: description.optional(),
    KeySpec: keySpec,
    KeyUsage: keyUsage,
    MultiRegion: flag,
    Origin: origin,
    Policy: policy.optional(),
    Tags: tagList.optional(),
    XksKeyId: xksKeyId,
  }),
  find: ({ Tags = [] }) => readTags(Tags),
  permissions(input, tags) {
    const isMultiRegion = input.MultiRegion ?? false
    const conditionKeys = newKeyConditions(
      [
        ['kms:customermasterkeyspec', symmetricDefault],
        ['kms:customermasterkeyusage', 'ENCRYPT_DECRYPT'],
        ['kms:keyorigin', input.Origin ?? 'AWS_KMS'],
        ['kms:keyspec', symmetricDefault],
        ['kms:keyusage', 'ENCRYPT_DECRYPT'],
        ['kms:multiregion', String(isMultiRegion)],
        ...(isMultiRegion ? [['kms:multiregionkeytype', 'PRIMARY'] as const] : []),
      ],
      tags,
    )
    return newKeyPermissions(input.BypassPolicyLockoutSafetyCheck, tags, conditionKeys)
  },
  run(input, tags, call) {
    const { state } = call
    const key = state.keys.create({
      description: input.Description ?? '',
      ...policyOfNewKey(input, call),
      tags,
      origin: input.Origin,
      multiRegion: input.MultiRegion,
    })
    if (key.origin === 'EXTERNAL') state.keys.wrappingKeys.prepare()
    call.seen.keyArns = [key.arn]
    return { KeyMetadata: keyMetadata(key, state) }
  },
  recordedAnswer: ({ KeyMetadata }) => ({
    keyMetadata: { keyId: KeyMetadata['KeyId'], arn: KeyMetadata['Arn'] },
  }),
})

/** What a key that is made or replicated needs: its tags are a permission of their own. */
export function newKeyPermissions(
  bypassesLockoutCheck: boolean | undefined,
  tags: ReadonlyMap<string, string>,
  conditionKeys: ConditionContext,
): Permission[] {
  const create: Permission = {
    action: 'kms:CreateKey',
    bypassesLockoutCheck: bypassesLockoutCheck ?? false,
    conditionKeys,
  }
  return tags.size === 0 ? [create] : [create, { action: 'kms:TagResource', conditionKeys }]
}

export function newKeyConditions(
  pairs: readonly (readonly [key: string, value: string])[],
  tags: ReadonlyMap<string, string>,
): ConditionContext {
  const ofKey = new Map(pairs.map(([key, value]) => [key, [value]]))
  const ofTags = requestTagConditions(tags)
  return { get: (key) => ofKey.get(key) ?? ofTags.get(key) }
}

/** The policy that comes with a new key, checked, or the one that leaves all to the account. */
export function policyOfNewKey(
  input: { Policy?: string | undefined; BypassPolicyLockoutSafetyCheck?: boolean | undefined },
  call: Call,
): { policy: string; policyPrincipals: PrincipalIds } {
  if (input.Policy === undefined) {
    return {
      policy: defaultKeyPolicy(rootUserArn(call.state.account.accountId)),
      policyPrincipals: new Map(),
    }
  }
  const policyPrincipals = checkedKeyPolicy(input.Policy, {
    // The key has no id yet: a policy that names keys by ARN has to be put afterwards.
    key: { arn: '*' },
    bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck,
    call,
  })
  return { policy: input.Policy, policyPrincipals }
}
