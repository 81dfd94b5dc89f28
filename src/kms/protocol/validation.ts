import { z } from 'zod'
import { shortened } from '../shortened.ts'
import { AwsException } from './exceptions.ts'

/** In characters, of a value in an error text. */
const longestQuote = 256
/** In elements, of a list in a request; the longest that an operation takes has 50. Nothing looks at longer ones. */
const longestList = 200
/** So many errors are told one by one. */
const mostErrors = 10

/**
 * The members of a request, checked and in the types that the operation works with. Members that the schema does not
 * know are ignored, as Amazon ignores them, and `null` is as good as absent.
 * Throws SerializationException for a member of another JSON type, UnsupportedOperationException for what this
 * service does not do yet, and ValidationException, in Amazon's words, for what is out of bounds. Amazon quotes the
 * value; so do we where `mayQuote` says that the member is no secret.
 */
export function parseMembers<Input>(
  schema: z.ZodType<Input>,
  members: Record<string, unknown>,
  mayQuote: (member: string) => boolean = () => false,
): Input {
  const given = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
  requireShortLists(given)
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
  for (const issue of issues) {
    if (issue.code === 'invalid_type' && !isMissing(issue, given)) {
      throw new AwsException(
        'SerializationException',
        `'${memberName(issue)}' must be ${typeName(issue.expected)}`,
      )
    }
    if (isNoInteger(issue)) {
      throw new AwsException('SerializationException', `'${memberName(issue)}' must be an integer`)
    }
    if (kindOf(issue) === 'serialization') throw new AwsException('SerializationException', issue.message)
  }
  const outOfBounds = issues.filter((issue) => kindOf(issue) === undefined)
  if (outOfBounds.length > 0) {
    const texts = outOfBounds.slice(0, mostErrors).map((issue) => constraintText(issue, given, mayQuote))
    const count = outOfBounds.length === 1 ? '1 validation error' : `${outOfBounds.length} validation errors`
    throw new AwsException('ValidationException', `${count} detected: ${texts.join('; ')}`)
  }
  throw new AwsException('UnsupportedOperationException', issues[0]?.message ?? '')
}

/** For `ctx.addIssue`: the member is of another JSON type than it has to be. */
export function wrongType(message: string): z.core.$ZodRawIssue & { code: 'custom' } {
  return { code: 'custom', message, params: { kind: 'serialization' }, input: undefined }
}

/** For `ctx.addIssue`: a length is out of bounds. */
export function outOfBounds(message: string): z.core.$ZodRawIssue & { code: 'custom' } {
  return { code: 'custom', message, input: undefined }
}

/** A member that Amazon knows and that this service can't obey yet. */
export function notYet(name: string): z.ZodOptional<z.ZodUnknown> {
  return z
    .unknown()
    .refine((value) => isEmpty(value), {
      message: `${name} is not supported yet.`,
      params: { kind: 'unsupported' },
    })
    .optional()
}

/** A choice of which this service offers some as yet: `all` are Amazon's, `offered` are ours. */
export function choice<Offered extends string>(
  name: string,
  offered: readonly Offered[],
  all: readonly string[],
): z.ZodType<Offered, string> {
  const isOffered = (value: string): value is Offered => offered.some((one) => one === value)
  return z.enum(all).refine(isOffered, {
    error: ({ input }) => `${name} ${String(input)} is not supported yet.`,
    params: { kind: 'unsupported' },
  })
}

/** An absent list and an empty one ask for the same. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === false || (Array.isArray(value) && value.length === 0)
}

type Issue = z.core.$ZodIssue

function kindOf(issue: Issue): unknown {
  return issue.code === 'custom' ? issue.params?.['kind'] : undefined
}

/** A number that no integer type holds; zod reports it beside the bounds that the member has. */
function isNoInteger(issue: Issue): boolean {
  if (issue.code === 'too_big') return issue.maximum === Number.MAX_SAFE_INTEGER
  return issue.code === 'too_small' && issue.minimum === Number.MIN_SAFE_INTEGER
}

function isMissing(issue: Issue, given: Record<string, unknown>): boolean {
  const value = valueAt(issue, given)
  return value === undefined || value === null
}

function valueAt(issue: Issue, given: Record<string, unknown>): unknown {
  let value: unknown = given
  for (const step of issue.path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.getOwnPropertyDescriptor(value, step)?.value
  }
  return value
}

/** Each element that is wrong is an error of its own, and there is room for hundreds of thousands in a request. */
function requireShortLists(given: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Array.isArray(value) || value.length <= longestList) continue
    throw new AwsException(
      'ValidationException',
      `1 validation error detected: Value at '${shortened(uncapitalized(name), longestQuote)}' failed to satisfy ` +
        `constraint: Member must have length less than or equal to ${longestList}`,
    )
  }
}

function constraintText(
  issue: Issue,
  given: Record<string, unknown>,
  mayQuote: (member: string) => boolean,
): string {
  return `Value${quotation(issue, given, mayQuote)} at '${memberName(issue)}' failed to satisfy constraint: ${constraint(issue)}`
}

function quotation(
  issue: Issue,
  given: Record<string, unknown>,
  mayQuote: (member: string) => boolean,
): string {
  if (isMissing(issue, given)) return ' null'
  return mayQuote(String(issue.path[0])) ? quote(valueAt(issue, given)) : ''
}

/** Nothing for lists and structures. */
function quote(value: unknown): string {
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isPlain ? ` '${shortened(String(value), longestQuote)}'` : ''
}

function constraint(issue: Issue): string {
  if (issue.code === 'invalid_type') return 'Member must not be null'
  if (issue.code === 'too_small') {
    return `Member must have ${sizeName(issue.origin)} greater than or equal to ${issue.minimum}`
  }
  if (issue.code === 'too_big') {
    return `Member must have ${sizeName(issue.origin)} less than or equal to ${issue.maximum}`
  }
  if (issue.code === 'invalid_value') {
    return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`
  }
  if (issue.code === 'invalid_format') {
    return `Member must satisfy regular expression pattern: ${patternText(issue.pattern)}`
  }
  return issue.message
}

function sizeName(origin: string): string {
  return origin === 'string' || origin === 'array' ? 'length' : 'value'
}

/** `/^a$/u` is shown as `^a$`. */
function patternText(pattern: string | undefined): string {
  return pattern?.replace(/^\/(.*)\/[a-z]*$/, '$1') ?? ''
}

/** Amazon's error texts write members with a small first letter, and count from 1: `keyId`, `tags.1.member.tagKey`. */
function memberName(issue: Issue): string {
  return issue.path
    .map((step) => (typeof step === 'number' ? `${step + 1}.member` : uncapitalized(String(step))))
    .join('.')
}

function uncapitalized(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function typeName(expected: string): string {
  return expected === 'array' || expected === 'object' ? `an ${expected}` : `a ${expected}`
}
