import { z } from 'zod'
import { isKnownConditionKey } from './condition-keys.ts'
import { findOperator } from './condition-operators.ts'
import type { Effort } from './effort.ts'
import { malformed } from './malformed.ts'
import type { Fits } from './template.ts'

/** One line of a `Condition` block. */
export interface Condition {
  /** In lower case: the names of condition keys are the same in any case. */
  readonly key: string
  /** For keys with several values. */
  readonly quantifier: 'all' | 'any' | undefined
  readonly ifExists: boolean
  readonly negated: boolean
  /** One of these has to fit. With `Null` there is only to see whether the key is there. */
  readonly wanted: readonly Fits[] | { readonly absent: readonly boolean[] }
  /** As the policy has them. */
  readonly values: readonly string[]
}

/** The values of a request's condition keys, by key in lower case. A key that the request has not has none. */
export interface ConditionContext {
  readonly get: (key: string) => readonly string[] | undefined
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const values = z.union([scalar.transform((one) => [one]), z.array(scalar).min(1)])

/**
 * Throws MalformedPolicyDocumentException for an operator, key or value that `holds` could not judge.
 * `variables`: whether the version of the policy has policy variables.
 */
export function parseConditions(
  block: Record<string, Record<string, unknown>>,
  variables: boolean,
): Condition[] {
  return Object.entries(block).flatMap(([name, keys]) =>
    Object.entries(keys).map(([key, value]) => parseCondition(name, key, value, variables)),
  )
}

/**
 * Whether the condition is met. Undefined: it can't be told; an Allow then does not allow, and a Deny denies. That is
 * so when the request gives one key twice (encryption context keys that differ in case alone), and for ForAnyValue with
 * IfExists on a key that is not there, for which documentation and observation disagree.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function holds(condition: Condition, context: ConditionContext, effort: Effort): boolean | undefined {
  const { wanted, quantifier } = condition
  effort.spend(1)
  const given = context.get(condition.key)
  if ('absent' in wanted) return wanted.absent.includes(given === undefined)
  if (given === undefined) return missingKeyHolds(condition)
  if (quantifier === undefined && given.length > 1) return undefined
  const request = { valueOf: singleValue(context), effort }
  const valueHolds = (value: string): boolean =>
    wanted.some((fits) => fits(value, request)) !== condition.negated
  return quantifier === 'any' ? given.some(valueHolds) : given.every(valueHolds)
}

/** A variable stands for one value. */
export function singleValue(context: ConditionContext): (key: string) => string | undefined {
  return (key) => {
    const given = context.get(key)
    return given?.length === 1 ? given[0] : undefined
  }
}

function missingKeyHolds({ quantifier, ifExists, negated }: Condition): boolean | undefined {
  if (quantifier === 'all') return true
  if (quantifier === 'any') return ifExists ? undefined : false
  return ifExists || negated
}

function parseCondition(name: string, key: string, value: unknown, variables: boolean): Condition {
  if (!isKnownConditionKey(key) || key.includes('${'))
    throw malformed(`the condition key ${key} is not supported`)
  const parsed = values.safeParse(value)
  if (!parsed.success)
    throw malformed(`the values of the condition key ${key} are not text, numbers or booleans`)
  const shared = { key: key.toLowerCase(), values: parsed.data }
  if (name === 'Null') {
    const absent = parsed.data.map((one) => readBoolean(one, name))
    return { ...shared, quantifier: undefined, ifExists: false, negated: false, wanted: { absent } }
  }
  const { quantifier, ifExists, operator } = splitName(name)
  return {
    ...shared,
    quantifier,
    ifExists,
    negated: operator.negated,
    wanted: parsed.data.map((one) => operator.read(one, variables) ?? noValue(one, name)),
  }
}

function splitName(name: string) {
  const [, quantifier, operatorName = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(name) ?? []
  const operator = findOperator(operatorName)
  if (operator === undefined) throw malformed(`the condition operator ${name} is not supported`)
  return {
    quantifier: quantifier === undefined ? undefined : quantifier === 'ForAllValues' ? 'all' : 'any',
    ifExists: ifExists !== undefined,
    operator,
  } as const
}

function readBoolean(text: string, operatorName: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return noValue(text, operatorName)
}

function noValue(text: string, operatorName: string): never {
  throw malformed(`${text} is no value for the condition operator ${operatorName}`)
}
