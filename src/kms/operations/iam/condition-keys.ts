import type { TagMembers } from './tags.ts'

/*
 * What IAM's requests tell conditions beside what every request tells.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */

/** Values by key, in lower case. */
export type ConditionKeys = ReadonlyMap<string, readonly string[]>

/** The tags of what the request is about. */
export function resourceTags(tags: ReadonlyMap<string, string> | undefined): ConditionKeys {
  const pairs = [...(tags ?? [])]
  return new Map(
    ['aws:resourcetag', 'iam:resourcetag'].flatMap((prefix) =>
      pairs.map(([key, value]) => [`${prefix}/${key.toLowerCase()}`, [value]] as const),
    ),
  )
}

/** The tags that the request brings. */
export function requestTags(tags: TagMembers | undefined): ConditionKeys {
  if (tags === undefined || tags.length === 0) return new Map()
  return new Map([
    ...tags.map(({ Key, Value }) => [`aws:requesttag/${Key.toLowerCase()}`, [Value]] as const),
    ...requestTagKeys(tags.map(({ Key }) => Key)),
  ])
}

/** The keys of the tags that the request takes away. */
export function requestTagKeys(keys: readonly string[]): ConditionKeys {
  return keys.length === 0 ? new Map() : new Map([['aws:tagkeys', keys]])
}

/** The managed policy that the request attaches or detaches. */
export function attachedPolicyArn(arn: string): ConditionKeys {
  return new Map([['iam:policyarn', [arn]]])
}

export function both(one: ConditionKeys, other: ConditionKeys): ConditionKeys {
  return new Map([...one, ...other])
}
