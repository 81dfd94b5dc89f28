import { readArnTemplate } from './arn-template.ts'
import { time } from './dates.ts'
import { readNetwork } from './networks.ts'
import { literal, matches } from './pattern.ts'
import { type Fits, readTemplate } from './template.ts'

interface OperatorRow {
  /** Undefined: the policy may not name this value. `variables`: whether the policy's version has variables. */
  readonly read: (wanted: string, variables: boolean) => Fits | undefined
  /** Whether there is an opposite: `StringNotEquals`. */
  readonly negatable: boolean
}

const arn: OperatorRow = { read: readArnTemplate, negatable: true }

/** The condition operators, without their opposites, without `IfExists`, and without `Null`. */
const operators = {
  StringEquals: { read: equals, negatable: true },
  StringEqualsIgnoreCase: { read: equalsIgnoringCase, negatable: true },
  StringLike: { read: like, negatable: true },
  // ArnEquals takes wildcards just as ArnLike does.
  ArnEquals: arn,
  ArnLike: arn,
  Bool: { read: boolean, negatable: false },
  BinaryEquals: { read: binary, negatable: false },
  NumericEquals: numeric((a, b) => a === b, true),
  NumericLessThan: numeric((a, b) => a < b),
  NumericLessThanEquals: numeric((a, b) => a <= b),
  NumericGreaterThan: numeric((a, b) => a > b),
  NumericGreaterThanEquals: numeric((a, b) => a >= b),
  DateEquals: date((a, b) => a === b, true),
  DateLessThan: date((a, b) => a < b),
  DateLessThanEquals: date((a, b) => a <= b),
  DateGreaterThan: date((a, b) => a > b),
  DateGreaterThanEquals: date((a, b) => a >= b),
  IpAddress: { read: inNetwork, negatable: true },
} as const satisfies Record<string, OperatorRow>

type Operator = keyof typeof operators

/**
 * The operator of that name, and whether it asks for the opposite; undefined when there is none.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function findOperator(name: string): { read: OperatorRow['read']; negated: boolean } | undefined {
  if (isOperator(name)) return { read: operators[name].read, negated: false }
  const positive = name === 'NotIpAddress' ? 'IpAddress' : name.replace(/^(String|Arn|Numeric|Date)Not/, '$1')
  if (positive === name || !isOperator(positive) || !operators[positive].negatable) return undefined
  return { read: operators[positive].read, negated: true }
}

function isOperator(name: string): name is Operator {
  return Object.hasOwn(operators, name)
}

function equals(wanted: string, variables: boolean): Fits {
  const template = readTemplate(wanted, { variables, wildcards: false })
  return (value, request) => {
    request.effort.spendOnText(value)
    const pattern = template.fill(request)
    return pattern !== undefined && literal(pattern) === value
  }
}

function equalsIgnoringCase(wanted: string, variables: boolean): Fits {
  const template = readTemplate(wanted, { variables, wildcards: false })
  return (value, request) => {
    const pattern = template.fill(request)
    if (pattern === undefined) return false
    request.effort.spend(1 + value.length + literal(pattern).length)
    return literal(pattern).toLowerCase() === value.toLowerCase()
  }
}

function like(wanted: string, variables: boolean): Fits {
  const template = readTemplate(wanted, { variables, wildcards: true })
  return (value, request) => {
    const pattern = template.fill(request)
    return pattern !== undefined && matches(pattern, value, request.effort)
  }
}

function boolean(wanted: string): Fits | undefined {
  const flag = wanted.toLowerCase()
  return flag === 'true' || flag === 'false' ? (value) => value === flag : undefined
}

/** The policy has the bytes in base64; the values of our condition keys are text, whose bytes are its UTF-8. */
function binary(wanted: string): Fits | undefined {
  const bytes = Buffer.from(wanted, 'base64')
  if (bytes.toString('base64') !== wanted) return undefined
  return (value, { effort }) => {
    effort.spend(8 + value.length)
    return bytes.equals(Buffer.from(value))
  }
}

function numeric(test: (a: number, b: number) => boolean, negatable = false): OperatorRow {
  return { read: (wanted) => compared(test, number(wanted), number), negatable }
}

function date(test: (a: number, b: number) => boolean, negatable = false): OperatorRow {
  return { read: (wanted) => compared(test, time(wanted), time), negatable }
}

function compared(
  test: (a: number, b: number) => boolean,
  wanted: number | undefined,
  read: (value: string) => number | undefined,
): Fits | undefined {
  if (wanted === undefined) return undefined
  return (value, { effort }) => {
    effort.spendOnText(value)
    return test(read(value) ?? NaN, wanted)
  }
}

function number(text: string): number | undefined {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
}

function inNetwork(wanted: string): Fits | undefined {
  const network = readNetwork(wanted)
  if (network === undefined) return undefined
  return (value, { effort }) => {
    effort.spend(32)
    return network(value)
  }
}
