import { AwsException } from '../../protocol/exceptions.ts'
import type { XmlStructure } from '../../protocol/xml.ts'
import { tagsPerEntity } from './members.ts'

type Tags = ReadonlyMap<string, string>
export type TagMembers = readonly { readonly Key: string; readonly Value: string }[]

/** The tags that a new user, role or policy gets. */
export function newTags(given: TagMembers | undefined): Tags {
  return withTags(new Map(), given ?? [])
}

/**
 * Tags with more tags. Keys differ in more than case; a known key gets its new value. Throws InvalidInput for a key that
 * is given twice or is reserved, and LimitExceeded.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
 */
export function withTags(known: Tags, given: TagMembers): Tags {
  const keys = given.map(({ Key }) => Key.toLowerCase())
  if (new Set(keys).size < keys.length) {
    throw new AwsException(
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    )
  }
  if (keys.some((key) => key.startsWith('aws:'))) {
    throw new AwsException('InvalidInput', "Tag keys that start with 'aws:' are reserved.")
  }
  const tags = new Map([...withoutTags(known, keys), ...given.map(({ Key, Value }) => [Key, Value] as const)])
  if (tags.size > tagsPerEntity) {
    throw new AwsException('LimitExceededException', `Cannot exceed quota for Tags: ${tagsPerEntity}`)
  }
  return tags
}

export function withoutTags(known: Tags, keys: readonly string[]): Tags {
  const unwanted = new Set(keys.map((key) => key.toLowerCase()))
  return new Map([...known].filter(([key]) => !unwanted.has(key.toLowerCase())))
}

export function tagList(tags: Tags): XmlStructure[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }))
}

/** As a member of a structure that leaves it out when there are none. */
export function tagsMember(tags: Tags): XmlStructure {
  return tags.size === 0 ? {} : { Tags: tagList(tags) }
}
