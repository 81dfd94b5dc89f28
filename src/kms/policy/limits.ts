import type { Condition } from './conditions.ts'
import { malformed } from './malformed.ts'

/*
 * Matching a wildcard pattern takes up to the product of the two lengths, and the other side may be an encryption
 * context of 8 KiB. Whoever may put a key policy must not be able to make every later request slow, so a policy has
 * bounds of its own beside Amazon's 32 KiB. With these the costliest decision takes 10 to 20 ms.
 */
const maxWildcardCharacters = 1024
/** What a character costs in a value with a `?`, which the engine's own search can't look for. */
const costOfQuestionMark = 4
const maxConditionValues = 512
/** What a value costs behind ForAllValues and ForAnyValue, where it is held against each key of a context. */
const costOfQuantifier = 8

/** Throws MalformedPolicyDocumentException when judging a policy's conditions could take long. */
export function requireQuickConditions(conditions: readonly Condition[]): void {
  const values = conditions.flatMap((condition) => condition.values)
  const quantified = conditions.filter(({ quantifier }) => quantifier !== undefined)
  const others = values.length - quantified.flatMap((condition) => condition.values).length
  if (others + costOfQuantifier * (values.length - others) > maxConditionValues) {
    throw malformed(
      `the conditions of a policy have at most ${maxConditionValues} values, ` +
        `and those of ForAllValues and ForAnyValue count ${costOfQuantifier} times`,
    )
  }
  if (values.reduce((sum, value) => sum + cost(value), 0) > maxWildcardCharacters) {
    throw malformed(
      `the values with wildcards in a policy's conditions have at most ${maxWildcardCharacters} characters together, ` +
        `and those with a ? count ${costOfQuestionMark} times`,
    )
  }
}

function cost(value: string): number {
  if (value.includes('?')) return value.length * costOfQuestionMark
  return value.includes('*') ? value.length : 0
}
