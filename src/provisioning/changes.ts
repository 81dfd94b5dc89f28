import { type Call, newKeyId } from './calls.ts'
import type { Found, FoundIdentity, FoundMasterKey } from './found.ts'
import { keyringTag, type Plan, type Tags } from './plan.ts'
import { policyText, saysTheSame } from './policy.ts'

/** The calls that make what is found into what is planned, in their order; none where it is that. Access keys are another matter. */
export function changesFor(plan: Plan, found: Found): Call[] {
  return [...changesOfIdentity(plan, found.identity), ...changesOfMasterKey(plan, found.masterKey)]
}

function changesOfIdentity({ identity }: Plan, found: FoundIdentity | undefined): Call[] {
  const { name, path: Path, tags } = identity
  const missing = iamTags(missingTags(tags, found?.tags ?? {}))
  if (identity.kind === 'user') {
    if (found === undefined)
      return [{ service: 'iam', operation: 'CreateUser', input: { UserName: name, Path, Tags: missing } }]
    return missing.length === 0
      ? []
      : [{ service: 'iam', operation: 'TagUser', input: { UserName: name, Tags: missing } }]
  }
  const trust = policyText(identity.trustPolicy)
  if (found === undefined) {
    const input = { RoleName: name, Path, AssumeRolePolicyDocument: trust, Tags: missing }
    return [{ service: 'iam', operation: 'CreateRole', input }]
  }
  const calls: Call[] = []
  if (missing.length > 0)
    calls.push({ service: 'iam', operation: 'TagRole', input: { RoleName: name, Tags: missing } })
  if (!saysTheSame(found.trustPolicy, identity.trustPolicy)) {
    const input = { RoleName: name, PolicyDocument: trust }
    calls.push({ service: 'iam', operation: 'UpdateAssumeRolePolicy', input })
  }
  return calls
}

function changesOfMasterKey({ masterKey }: Plan, found: FoundMasterKey | undefined): Call[] {
  const { alias, description, tags, policy } = masterKey
  const aliasOf = (TargetKeyId: string): Call => ({
    service: 'kms',
    operation: 'CreateAlias',
    input: { AliasName: alias, TargetKeyId },
  })
  const Tags = kmsTags(missingTags(tags, found?.tags ?? {}))
  const Policy = policyText(policy)
  if (found === undefined)
    return [
      { service: 'kms', operation: 'CreateKey', input: { Description: description, Policy, Tags } },
      aliasOf(newKeyId),
    ]
  const KeyId = found.keyId
  const calls: Call[] = []
  if (!saysTheSame(found.policy, policy))
    calls.push({ service: 'kms', operation: 'PutKeyPolicy', input: { KeyId, PolicyName: 'default', Policy } })
  if (Tags.length > 0) calls.push({ service: 'kms', operation: 'TagResource', input: { KeyId, Tags } })
  if (found.tags[keyringTag] !== undefined && tags[keyringTag] === undefined) {
    const input = { KeyId, TagKeys: [keyringTag] }
    calls.push({ service: 'kms', operation: 'UntagResource', input })
  }
  if (found.description !== description) {
    const input = { KeyId, Description: description }
    calls.push({ service: 'kms', operation: 'UpdateKeyDescription', input })
  }
  return found.hasAlias ? calls : [...calls, aliasOf(KeyId)]
}

/** Tags that others have put there stay. */
function missingTags(wanted: Tags, found: Tags): [string, string][] {
  return Object.entries(wanted).filter(([name, value]) => found[name] !== value)
}

function iamTags(tags: readonly [string, string][]): { Key: string; Value: string }[] {
  return tags.map(([Key, Value]) => ({ Key, Value }))
}

function kmsTags(tags: readonly [string, string][]): { TagKey: string; TagValue: string }[] {
  return tags.map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
}
