import type { Principal } from '../../principal.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { tagsPerEntity } from '../iam/members.ts'
import type { TagMembers } from '../iam/tags.ts'

/** The tags of a new role session. */
export interface SessionTags {
  /** Those that the request brings and those that it inherits. */
  readonly all: ReadonlyMap<string, string>
  /** The keys of those that the next session in the chain will inherit. */
  readonly transitiveKeys: readonly string[]
}

/**
 * The tags of the request, with the transitive ones of the session that signed it. Keys differ in more than case.
 * Throws ValidationError.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
 */
export function sessionTags(
  input: { Tags?: TagMembers | undefined; TransitiveTagKeys?: readonly string[] | undefined },
  caller: Principal,
): SessionTags {
  const { Tags: given = [], TransitiveTagKeys: transitive = [] } = input
  const inherited = inheritedTags(caller)
  requireDistinct(given.map(({ Key }) => Key))
  requireDistinct(transitive)
  requireNotInherited([...given.map(({ Key }) => Key), ...transitive], inherited)
  const keys = new Map(given.map(({ Key }) => [Key.toLowerCase(), Key]))
  const transitiveGiven = transitive.map((key) => {
    const asGiven = keys.get(key.toLowerCase())
    if (asGiven !== undefined) return asGiven
    throw invalid('The specified transitive tag key must be included in the requested tags.')
  })
  if (inherited.size + given.length > tagsPerEntity) {
    throw invalid(`A session has at most ${tagsPerEntity} tags, inherited ones among them.`)
  }
  return {
    all: new Map([...inherited, ...given.map(({ Key, Value }) => [Key, Value] as const)]),
    transitiveKeys: [...inherited.keys(), ...transitiveGiven],
  }
}

function inheritedTags({ session, tags }: Principal): ReadonlyMap<string, string> {
  return new Map((session?.transitiveTagKeys ?? []).map((key) => [key, tags.get(key) ?? '']))
}

function requireDistinct(given: readonly string[]): void {
  const keys = given.map((key) => key.toLowerCase())
  if (new Set(keys).size < keys.length) {
    throw invalid('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  }
  if (keys.some((key) => key.startsWith('aws:'))) {
    throw invalid("'aws:' prefixed tag key names are not allowed for external use.")
  }
}

function requireNotInherited(given: readonly string[], inherited: ReadonlyMap<string, string>): void {
  const keys = new Set([...inherited.keys()].map((key) => key.toLowerCase()))
  if (given.some((key) => keys.has(key.toLowerCase()))) {
    throw invalid(
      "One of the specified tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  }
}

function invalid(message: string): AwsException {
  return new AwsException('ValidationException', message)
}
