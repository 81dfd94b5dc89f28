import { rootUserArn } from '../arn.ts'
import type { Principal } from '../principal.ts'
import { type ConditionContext, holds } from './conditions.ts'
import type { PatternList, PolicyDocument, Statement } from './document.ts'
import { matchesPattern } from './pattern.ts'

/** May this principal do this, to this? */
export interface Question {
  readonly principal: Principal
  /** Such as `kms:Decrypt`. */
  readonly action: string
  /** The key's ARN; `*` for what concerns the whole account. */
  readonly resource: string
  /** Asked for only when a statement has conditions. */
  readonly context: () => ConditionContext
}

/** What applies to the question. */
export interface Policies {
  /** Of the key that the question is about; undefined for what concerns the whole account. */
  readonly keyPolicy: PolicyDocument | undefined
  /** Of the user who asks. */
  readonly identityPolicies: readonly PolicyDocument[]
}

export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      readonly because: 'explicit deny' | 'no resource policy' | 'no identity policy'
    }

/**
 * Amazon's order of judgement: a Deny that fits wins; then the key policy decides, as the root of trust: it allows the
 * principal by name, or it names the account and so leaves the decision to the account, that is to the account's root
 * user and to the identity policies of its users. What concerns the whole account is the account's to decide.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 */
export function evaluate(question: Question, policies: Policies): Decision {
  const { keyPolicy, identityPolicies } = policies
  const statements = [keyPolicy, ...identityPolicies].flatMap((policy) => policy?.statements ?? [])
  if (statements.some((statement) => denies(statement, question))) {
    return { allowed: false, because: 'explicit deny' }
  }
  if (keyPolicy?.statements.some((statement) => allowsByName(statement, question)) === true)
    return { allowed: true }
  if (
    keyPolicy !== undefined &&
    !keyPolicy.statements.some((statement) => leavesToAccount(statement, question))
  ) {
    return { allowed: false, because: 'no resource policy' }
  }
  if (question.principal.type === 'Root') return { allowed: true }
  const allowedToUser = identityPolicies.some((policy) =>
    policy.statements.some((statement) => statement.effect === 'Allow' && fits(statement, question, true)),
  )
  return allowedToUser ? { allowed: true } : { allowed: false, because: 'no identity policy' }
}

/** The account as principal of a Deny means everyone in it. */
function denies(statement: Statement, question: Question): boolean {
  return (
    statement.effect === 'Deny' &&
    (names(statement, question.principal) || namesAccount(statement, question.principal)) &&
    fits(statement, question, false)
  )
}

function allowsByName(statement: Statement, question: Question): boolean {
  return (
    statement.effect === 'Allow' && names(statement, question.principal) && fits(statement, question, true)
  )
}

function leavesToAccount(statement: Statement, question: Question): boolean {
  return (
    statement.effect === 'Allow' &&
    namesAccount(statement, question.principal) &&
    fits(statement, question, true)
  )
}

function names(statement: Statement, principal: Principal): boolean {
  // An identity policy names nobody: it is its user's.
  if (statement.principals === undefined) return true
  return statement.principals.some(
    (name) => name === '*' || (name === principal.arn && principal.type !== 'Root'),
  )
}

function namesAccount(statement: Statement, principal: Principal): boolean {
  return statement.principals?.includes(rootUserArn(principal.accountId)) === true
}

/** `strict`: a condition that can't be judged counts as not met; otherwise as met. */
function fits(statement: Statement, question: Question, strict: boolean): boolean {
  return (
    inList(statement.actions, question.action.toLowerCase(), (pattern) => pattern.toLowerCase()) &&
    inList(statement.resources, question.resource, (pattern) => pattern) &&
    conditionsHold(statement, question, strict)
  )
}

function inList(list: PatternList, text: string, normalise: (pattern: string) => string): boolean {
  return list.patterns.some((pattern) => matchesPattern(normalise(pattern), text)) !== list.negated
}

function conditionsHold(statement: Statement, question: Question, strict: boolean): boolean {
  if (statement.conditions.length === 0) return true
  const context = question.context()
  return statement.conditions.every((condition) => holds(condition, context) ?? !strict)
}
