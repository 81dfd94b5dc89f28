import { z } from 'zod'
import { keyArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import { authorize } from '../authorize.ts'
import type { Call, State } from '../call.ts'
import { operation } from '../operation.ts'
import { newKeyConditions, newKeyPermissions, policyOfNewKey } from './create-key.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requirePrimary } from './key-kind.ts'
import { keyMetadata } from './key-metadata.ts'
import { requireKeyState } from './key-states.ts'
import { description, flag, keyId, policy, region } from './members.ts'
import { readTags, tagList } from './tags.ts'

const input = z.object({
  BypassPolicyLockoutSafetyCheck: flag,
  Description: description.optional(),
  KeyId: keyId,
  Policy: policy.optional(),
  ReplicaRegion: region,
  Tags: tagList.optional(),
})

/**
 * The caller has to be allowed kms:ReplicateKey here, and kms:CreateKey in the region of the replica.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
 */
export const replicateKey = operation({
  name: 'ReplicateKey',
  readOnly: false,
  input,
  find: ({ KeyId, Tags = [] }, { state }) => ({
    key: findKeyWithoutAlias(KeyId, state),
    tags: readTags(Tags),
  }),
  permissions: (request, { key }) => [
    {
      action: 'kms:ReplicateKey',
      key,
      bypassesLockoutCheck: request.BypassPolicyLockoutSafetyCheck ?? false,
      conditionKeys: new Map([['kms:replicaregion', [request.ReplicaRegion]]]),
    },
  ],
  run(request, { key, tags }, call) {
    requirePrimary(key)
    const there = { ...call, state: servedRegion(request.ReplicaRegion, call.state) }
    requireNewKeyPermissions(request, { key, tags }, there)
    requireKeyState('ReplicateKey', key)
    if (call.state.keys.relatedRegions(key).includes(request.ReplicaRegion)) {
      const arn = keyArn(there.state.account, key.keyId)
      throw new AwsException('AlreadyExistsException', `The key ${arn} already exists.`)
    }
    const { policy: ReplicaPolicy, policyPrincipals } = policyOfNewKey(request, there)
    const replica = call.state.keys.replicate(key, request.ReplicaRegion, {
      description: request.Description ?? '',
      policy: ReplicaPolicy,
      policyPrincipals,
      tags,
    })
    call.seen.keyArns = [key.arn, replica.arn]
    return {
      ReplicaKeyMetadata: keyMetadata(replica, there.state),
      ReplicaPolicy,
      ReplicaTags: [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    }
  },
  recordedAnswer: ({ ReplicaKeyMetadata }) => ({
    replicaKeyMetadata: { keyId: ReplicaKeyMetadata['KeyId'], arn: ReplicaKeyMetadata['Arn'] },
  }),
})

function requireNewKeyPermissions(
  request: z.infer<typeof input>,
  { key, tags }: { key: Key; tags: ReadonlyMap<string, string> },
  there: Call,
): void {
  const conditions = newKeyConditions(
    [
      ['kms:keyorigin', key.origin],
      ['kms:keyspec', 'SYMMETRIC_DEFAULT'],
      ['kms:keyusage', 'ENCRYPT_DECRYPT'],
      ['kms:multiregion', 'true'],
      ['kms:multiregionkeytype', 'REPLICA'],
    ],
    tags,
  )
  for (const permission of newKeyPermissions(request.BypassPolicyLockoutSafetyCheck, tags, conditions)) {
    authorize(permission, there)
  }
}

/** The regions that are served are configuration. */
export function servedRegion(name: string, { regions }: State): State {
  const state = regions.get(name)
  if (state !== undefined) return state
  throw new AwsException('UnsupportedOperationException', `The Region ${name} is not served here.`)
}
