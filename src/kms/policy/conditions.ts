import { z } from 'zod'
import { isKnownConditionKey } from './condition-keys.ts'
import { isOperator, type Operator, operators } from './condition-operators.ts'
import { malformed, refuseVariables } from './malformed.ts'

/** One line of a `Condition` block. */
export interface Condition {
  readonly operator: Operator
  readonly negated: boolean
  readonly ifExists: boolean
  /** For keys with several values. */
  readonly quantifier: 'all' | 'any' | undefined
  /** In lower case: the names of condition keys are the same in any case. */
  readonly key: string
  readonly values: readonly string[]
}

/** The values of a request's condition keys, by key in lower case. A key that the request has not is not in it. */
export type ConditionContext = ReadonlyMap<string, readonly string[]>

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const values = z.union([scalar.transform((one) => [one]), z.array(scalar).min(1)])

/** Throws MalformedPolicyDocumentException for an operator, key or value that `holds` could not judge. */
export function parseConditions(block: Record<string, Record<string, unknown>>): Condition[] {
  return Object.entries(block).flatMap(([name, keys]) =>
    Object.entries(keys).map(([key, value]) => parseCondition(name, key, value)),
  )
}

/**
 * Whether the condition is met. Undefined: it can't be told, because the request gives one key twice (encryption
 * context keys that differ in case alone); an Allow then does not allow, and a Deny denies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function holds(condition: Condition, context: ConditionContext): boolean | undefined {
  const given = context.get(condition.key)
  if (condition.operator === 'Null') return condition.values.includes(String(given === undefined))
  if (given === undefined) return missingKeyHolds(condition)
  if (condition.quantifier === 'all') return given.every((value) => valueHolds(condition, value))
  if (condition.quantifier === 'any') return given.some((value) => valueHolds(condition, value))
  if (given.length > 1) return undefined
  return valueHolds(condition, given[0] ?? '')
}

function missingKeyHolds(condition: Condition): boolean {
  if (condition.ifExists) return true
  if (condition.quantifier !== undefined) return condition.quantifier === 'all'
  return condition.negated
}

function valueHolds(condition: Condition, value: string): boolean {
  const test = operators[condition.operator].test
  return condition.values.some((wanted) => test(value, wanted)) !== condition.negated
}

function parseCondition(name: string, key: string, value: unknown): Condition {
  const [, quantifier, rest = ''] = /^(?:(ForAllValues|ForAnyValue):)?(.*)$/.exec(name) ?? []
  const ifExists = rest.endsWith('IfExists')
  const { operator, negated } = parseOperator(ifExists ? rest.slice(0, -'IfExists'.length) : rest)
  // The keys that have several values hold text; anything else would only cost time.
  if (quantifier !== undefined && !operator.startsWith('String')) {
    throw malformed(`the condition operator ${name} is not supported`)
  }
  if (operator === 'Null' && ifExists) throw malformed(`the condition operator ${name} is not supported`)
  if (!isKnownConditionKey(key)) throw malformed(`the condition key ${key} is not supported`)
  const parsed = values.safeParse(value)
  if (!parsed.success)
    throw malformed(`the values of the condition key ${key} are not text, numbers or booleans`)
  refuseVariables([key, ...parsed.data])
  for (const one of parsed.data) {
    if (!operators[operator].accepts(one))
      throw malformed(`${one} is no value for the condition operator ${name}`)
  }
  return {
    operator,
    negated,
    ifExists,
    quantifier: quantifier === undefined ? undefined : quantifier === 'ForAllValues' ? 'all' : 'any',
    key: key.toLowerCase(),
    values: parsed.data,
  }
}

/** `StringNotEquals` is `StringEquals`, negated; the same for Arn, Numeric, Date and Ip operators. */
function parseOperator(name: string): { operator: Operator; negated: boolean } {
  if (isOperator(name)) return { operator: name, negated: false }
  const positive = name === 'NotIpAddress' ? 'IpAddress' : name.replace(/^(String|Arn|Numeric|Date)Not/, '$1')
  if (positive !== name && isOperator(positive) && operators[positive].negatable) {
    return { operator: positive, negated: true }
  }
  throw malformed(`the condition operator ${name} is not supported`)
}
