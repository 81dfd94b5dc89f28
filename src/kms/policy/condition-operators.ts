import { BlockList, isIP } from 'node:net'
import { time } from './dates.ts'
import { isArnPattern, matchesArn, matchesPattern } from './pattern.ts'

interface OperatorRow {
  /** Whether the request's value fits a value of the policy. */
  readonly test: (value: string, wanted: string) => boolean
  /** Whether a policy may name this value. */
  readonly accepts: (wanted: string) => boolean
  /** Whether there is an opposite: `StringNotEquals`. */
  readonly negatable: boolean
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))
const isBoolean = (text: string): boolean => text === 'true' || text === 'false'
const isDate = (text: string): boolean => time(text) !== undefined
const any = (): boolean => true

const text = (test: OperatorRow['test']): OperatorRow => ({ test, accepts: any, negatable: true })
const arn: OperatorRow = {
  test: (value, wanted) => matchesArn(wanted, value),
  accepts: isArnPattern,
  negatable: true,
}
const numeric = (test: (a: number, b: number) => boolean, negatable = false): OperatorRow => ({
  test: (value, wanted) => isNumber(value) && test(Number(value), Number(wanted)),
  accepts: isNumber,
  negatable,
})
const date = (test: (a: number, b: number) => boolean, negatable = false): OperatorRow => ({
  test: (value, wanted) => test(time(value) ?? NaN, time(wanted) ?? NaN),
  accepts: isDate,
  negatable,
})

/** The condition operators, without their opposites and without `IfExists`. */
export const operators = {
  StringEquals: text((value, wanted) => value === wanted),
  StringEqualsIgnoreCase: text((value, wanted) => value.toLowerCase() === wanted.toLowerCase()),
  StringLike: text((value, wanted) => matchesPattern(wanted, value)),
  // ArnEquals takes wildcards just as ArnLike does.
  ArnEquals: arn,
  ArnLike: arn,
  Bool: { test: (value, wanted) => value === wanted, accepts: isBoolean, negatable: false },
  Null: { test: any, accepts: isBoolean, negatable: false },
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
  IpAddress: { test: isInNetwork, accepts: isNetwork, negatable: true },
} as const satisfies Record<string, OperatorRow>

export type Operator = keyof typeof operators

export function isOperator(name: string): name is Operator {
  return Object.hasOwn(operators, name)
}

function isNetwork(network: string): boolean {
  const [address = '', prefix] = network.split('/')
  const family = isIP(address)
  if (family === 0 || network.split('/').length > 2) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

function isInNetwork(value: string, network: string): boolean {
  const [address = '', prefix] = network.split('/')
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(address, prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix), family)
  return isIP(value) !== 0 && list.check(value, isIP(value) === 4 ? 'ipv4' : 'ipv6')
}
