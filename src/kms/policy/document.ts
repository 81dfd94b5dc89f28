import { z } from 'zod'
import { AwsException } from '../protocol/exceptions.ts'
import { repeatedName } from '../repeated-name.ts'
import { type Condition, parseConditions } from './conditions.ts'
import { requireQuickConditions } from './limits.ts'
import { malformed, refuseVariables } from './malformed.ts'

/** A key policy, checked: it holds nothing that the evaluator does not understand. */
export interface PolicyDocument {
  readonly statements: readonly Statement[]
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  /** Whom it is about: `*`, an account's root ARN, or a user's ARN. Undefined in an identity policy, which has no principals. */
  readonly principals: readonly string[] | undefined
  readonly actions: PatternList
  readonly resources: PatternList
  readonly conditions: readonly Condition[]
}

/** `Action` and `Resource`; negated: `NotAction` and `NotResource`. */
export interface PatternList {
  readonly negated: boolean
  readonly patterns: readonly string[]
}

/** Amazon's quota for a key policy document, in bytes. */
export const maxPolicyBytes = 32_768

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)])
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.strictObject({ AWS: texts })]),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
})
const document = z.strictObject({
  Version: z.enum(['2008-10-17', '2012-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.union([statement.transform((one) => [one]), z.array(statement).min(1)]),
})

/**
 * Reads a key policy. Throws MalformedPolicyDocumentException for whatever we could not evaluate as it is meant
 * (`NotPrincipal`, an unknown condition operator or key, a policy variable …): better refused than half obeyed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function parseKeyPolicy(text: string): PolicyDocument {
  const parsed = document.safeParse(parseJson(text))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a policy'}`)
  }
  const statements = parsed.data.Statement.map(readStatement)
  requireQuickConditions(statements.flatMap(({ conditions }) => conditions))
  return { statements }
}

/**
 * A stored policy that can't be read allows nothing: the newer release that wrote it may have meant a Deny.
 * `onUnreadable` is told why.
 */
export function parseStoredKeyPolicy(text: string, onUnreadable: (why: string) => void): PolicyDocument {
  try {
    return parseKeyPolicy(text)
  } catch (error) {
    if (!(error instanceof AwsException)) throw error
    onUnreadable(error.message)
    return { statements: [] }
  }
}

/** The policy of a key that was made without one: the account decides. */
export function defaultKeyPolicy(rootArn: string): string {
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: rootArn },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    },
    null,
    2,
  )
}

/** Every principal that the policy names, `*` left out. */
export function namedPrincipals(policy: PolicyDocument): string[] {
  return policy.statements.flatMap(({ principals }) => principals ?? []).filter((name) => name !== '*')
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text, refuseProto)
    // The parser would take the last of two: a Deny or a Condition would be gone.
    const repeated = repeatedName(text)
    if (repeated !== undefined) throw malformed(`the policy has two members named ${repeated} in one place`)
    return value
  } catch (error) {
    if (error instanceof AwsException) throw error
    throw malformed('the policy is not JSON')
  }
}

/** Schemas pass over this name, so a condition behind it would be dropped. */
function refuseProto(this: unknown, name: string, value: unknown): unknown {
  if (name === '__proto__') throw malformed('a policy has no member named __proto__')
  return value
}

function readStatement(raw: z.infer<typeof statement>): Statement {
  const actions = either('Action', raw.Action, raw.NotAction)
  for (const pattern of actions.patterns) {
    if (!/^(\*|kms:[a-z*?]+)$/i.test(pattern)) throw malformed(`Action ${pattern} is not an action of KMS`)
  }
  const resources = either('Resource', raw.Resource, raw.NotResource)
  refuseVariables(resources.patterns)
  return {
    effect: raw.Effect,
    principals: raw.Principal === '*' ? ['*'] : raw.Principal.AWS.map(fullPrincipal),
    actions,
    resources,
    conditions: parseConditions(raw.Condition ?? {}),
  }
}

function either(name: string, is: string[] | undefined, isNot: string[] | undefined): PatternList {
  if (is !== undefined && isNot === undefined) return { negated: false, patterns: is }
  if (isNot !== undefined && is === undefined) return { negated: true, patterns: isNot }
  throw malformed(`a statement needs one of ${name} and Not${name}`)
}

/** An account id alone means the account's root user. */
function fullPrincipal(name: string): string {
  return /^\d{12}$/.test(name) ? `arn:aws:iam::${name}:root` : name
}
