import { z } from 'zod'
import { AwsException } from './exceptions.ts'

/**
 * The members of a request, checked and in the types that the operation works with. Members that the schema does not
 * know are ignored, as Amazon ignores them, and `null` is as good as absent.
 * Throws SerializationException for a member of another JSON type, UnsupportedOperationException for what this
 * service does not do yet, and ValidationException, in Amazon's words, for what is out of bounds.
 */
export function parseMembers<Input>(schema: z.ZodType<Input>, members: Record<string, unknown>): Input {
  const given = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
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
    if (kindOf(issue) === 'serialization') throw new AwsException('SerializationException', issue.message)
  }
  const outOfBounds = issues.filter((issue) => kindOf(issue) === undefined)
  if (outOfBounds.length > 0) {
    const texts = outOfBounds.map((issue) => constraintText(issue, given))
    const count = texts.length === 1 ? '1 validation error' : `${texts.length} validation errors`
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

function isMissing(issue: Issue, given: Record<string, unknown>): boolean {
  const [name] = issue.path
  return issue.path.length === 1 && typeof name === 'string' && !Object.hasOwn(given, name)
}

function constraintText(issue: Issue, given: Record<string, unknown>): string {
  const nothing = isMissing(issue, given) ? ' null' : ''
  return `Value${nothing} at '${memberName(issue)}' failed to satisfy constraint: ${constraint(issue)}`
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

/** Amazon's error texts write members with a small first letter: `keyId`. */
function memberName(issue: Issue): string {
  const name = issue.path.map(String).join('.')
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function typeName(expected: string): string {
  return expected === 'array' || expected === 'object' ? `an ${expected}` : `a ${expected}`
}
