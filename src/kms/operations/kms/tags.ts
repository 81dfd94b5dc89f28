import { z } from 'zod'
import type { ConditionContext } from '../../policy/conditions.ts'
import { AwsException } from '../../protocol/exceptions.ts'

/*
 * The tags of keys: what TagResource, UntagResource, CreateKey and ReplicateKey share.
 * https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
 */

/** Amazon's quota, of one key. */
const mostTags = 50

const tagKey = z.string().min(1).max(128)

/** The member `Tags`. */
export const tagList = z.array(z.object({ TagKey: tagKey, TagValue: z.string().max(256) }))
/** The member `TagKeys`. */
export const tagKeyList = z.array(tagKey)

/** The tags of a request, by key, in its order. Throws TagException for those that a key can't have. */
export function readTags(list: z.infer<typeof tagList>): ReadonlyMap<string, string> {
  const tags = new Map(list.map(({ TagKey, TagValue }) => [TagKey, TagValue]))
  if (tags.size < list.length) throw new AwsException('TagException', 'Duplicate tag keys')
  for (const [key, value] of tags) {
    requireFreeTagKey(key)
    if (!isTagText(key) || !isTagText(value)) {
      throw new AwsException(
        'TagException',
        'Tags may hold letters, digits, white space and _ . : / = + - @ only',
      )
    }
  }
  requireNotTooMany(tags)
  return tags
}

/** The tags that a key has after TagResource. Throws TagException when they are too many. */
export function withTags(
  tags: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const all = new Map([...tags, ...added])
  requireNotTooMany(all)
  return all
}

/** Throws TagException for those that are Amazon's own. */
export function requireFreeTagKey(key: string): void {
  if (/^aws:/i.test(key)) throw new AwsException('TagException', 'Tags beginning with aws: are reserved')
}

/** `aws:RequestTag/…` and `aws:TagKeys`. Two keys that differ in case alone are one condition key with two values. */
export function requestTagConditions(tags: ReadonlyMap<string, string>): ConditionContext {
  const conditions = new Map<string, string[]>()
  for (const [key, value] of tags) {
    const name = `aws:requesttag/${key.toLowerCase()}`
    conditions.set(name, [...(conditions.get(name) ?? []), value])
  }
  if (tags.size > 0) conditions.set('aws:tagkeys', [...tags.keys()])
  return conditions
}

function isTagText(text: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text)
}

function requireNotTooMany(tags: ReadonlyMap<string, string>): void {
  if (tags.size > mostTags) throw new AwsException('TagException', 'Too many tags')
}
