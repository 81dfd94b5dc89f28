import { isKnownConditionKey, isMultivaluedConditionKey } from './condition-keys.ts'
import type { Effort } from './effort.ts'
import { malformed } from './malformed.ts'
import { compile, type Pattern, type PatternPart, wildcardParts } from './pattern.ts'

/** A text of a policy: what it means is known once the request is. */
export interface Template {
  /** Undefined when it has a variable that the request gives no value to: then it matches nothing. */
  readonly fill: (request: Request) => Pattern | undefined
  readonly hasVariables: boolean
}

/** The value of a condition key, in lower case; undefined when the request has none, or several. */
export type ValueOf = (key: string) => string | undefined

/** What a text is held against. */
export interface Request {
  readonly valueOf: ValueOf
  readonly effort: Effort
}

/** Whether a value of the request fits a value of the policy. */
export type Fits = (value: string, request: Request) => boolean

/** How a text is to be read. */
export interface Reading {
  /** Whether `${aws:username}` is a variable, as in policies of Version 2012-10-17, or stands for itself. */
  readonly variables: boolean
  /** Whether `*` and `?` are wildcards. What comes out of a variable never is one. */
  readonly wildcards: boolean
}

interface Variable {
  readonly key: string
  readonly fallback: string | undefined
}

/**
 * Throws MalformedPolicyDocumentException for a variable that can have no value.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function readTemplate(text: string, reading: Reading): Template {
  const parts = reading.variables ? splitAtVariables(text, reading) : plainParts(text, reading)
  if (parts.every(isPatternPart)) {
    const pattern = compile(parts)
    return { fill: () => pattern, hasVariables: false }
  }
  return {
    hasVariables: true,
    fill(request) {
      const filled = parts.map((part) => (isPatternPart(part) ? part : valuePart(part, request)))
      return filled.every((part) => part !== undefined) ? compile(filled) : undefined
    },
  }
}

function valuePart({ key, fallback }: Variable, { valueOf, effort }: Request): PatternPart | undefined {
  const value = valueOf(key) ?? fallback
  effort.spendOnText(value ?? '')
  return value === undefined ? undefined : { text: value }
}

function splitAtVariables(text: string, reading: Reading): (PatternPart | Variable)[] {
  const parts: (PatternPart | Variable)[] = []
  let from = 0
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', from)) {
    parts.push(...plainParts(text.slice(from, at), reading))
    variable.lastIndex = at
    const [whole, special, key, fallback] = variable.exec(text) ?? []
    if (whole === undefined) throw malformed(`the policy variable in ${text} is not well formed`)
    parts.push(special === undefined ? readVariable(key ?? '', fallback) : { text: special })
    from = at + whole.length
  }
  return [...parts, ...plainParts(text.slice(from), reading)]
}

/** `${*}`, `${?}` or `${$}`; or a key, perhaps with a default value in quotes. */
const variable = /\$\{(?:([*?$])|([^\s{},']+)(?:\s*,\s*'([^'{}]*)')?)\}/y

function readVariable(key: string, fallback: string | undefined): Variable {
  if (!isKnownConditionKey(key)) throw malformed(`the policy variable \${${key}} is not supported`)
  if (isMultivaluedConditionKey(key)) {
    throw malformed(`\${${key}} cannot be a policy variable: it has several values`)
  }
  return { key: key.toLowerCase(), fallback }
}

function plainParts(text: string, { wildcards }: Reading): PatternPart[] {
  return wildcards ? wildcardParts(text) : [{ text }]
}

function isPatternPart(part: PatternPart | Variable): part is PatternPart {
  return typeof part === 'string' || 'text' in part
}
