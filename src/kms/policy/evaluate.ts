import type { EncryptionContext } from '../ciphertext.ts'
import type { Principal } from '../principal.ts'
import { coversAction } from './actions.ts'
import { type ConditionContext, holds, singleValue } from './conditions.ts'
import type { NamedPolicy, Statement } from './document.ts'
import { Effort, TooMuchEffort } from './effort.ts'
import { type ApplicableGrant, covers, type NewGrant } from './grant.ts'
import { type Reach, reaches, reachOfGrantee } from './reach.ts'
import { coversResource } from './resources.ts'
import type { ValueOf } from './template.ts'

/** May this principal do this, to this? */
export interface Question {
  readonly principal: Principal
  /** Such as `kms:Decrypt`. */
  readonly action: string
  /** The ARN of what it is about; `*` for what concerns the whole account. */
  readonly resource: string
  /** Asked only for what the policies are about. */
  readonly context: ConditionContext
  /** For the constraints of grants. */
  readonly encryptionContext: EncryptionContext | undefined
  /** For kms:CreateGrant: what is to be granted. */
  readonly newGrant: NewGrant | undefined
}

/** What applies to the question. */
export interface Policies {
  /** The key policy of a key, the trust policy of a role; undefined for what has none. */
  readonly resourcePolicy: NamedPolicy | undefined
  /** A policy of the resource of which only what it denies counts. */
  readonly denyingPolicy?: NamedPolicy | undefined
  /** Those of the user and the user's groups; of a role's session, those of the role. */
  readonly identityPolicies: readonly NamedPolicy[]
  /** What a role's session was limited to when it began; undefined: nothing. */
  readonly sessionPolicies: readonly NamedPolicy[] | undefined
  readonly grants: readonly ApplicableGrant[]
}

export type PolicyType = 'identity-based' | 'resource-based' | 'session'

/** A statement: its policy's `source`, and its name in there. */
export interface PolicyGround {
  readonly type: PolicyType
  readonly policy: string
  readonly statement: string
}

/** What a decision rests on. */
export type Ground =
  | PolicyGround
  | { readonly type: 'grant'; readonly grantId: string }
  /** The account's root user, where the account decides. */
  | { readonly type: 'root user' }

export type Decision = Allowed | Refused

export interface Allowed {
  readonly allowed: true
  /** All that it took: the statement that left it to the account, say, and that of the user's policy. */
  readonly grounds: readonly Ground[]
}

export type Refused =
  | { readonly allowed: false; readonly because: 'explicit deny'; readonly ground: PolicyGround }
  | { readonly allowed: false; readonly because: 'no allow'; readonly missing: PolicyType }
  | { readonly allowed: false; readonly because: 'too much effort' }

/**
 * Amazon's order of judgement. A Deny that fits wins, wherever it stands. Then the policy of the resource decides, as
 * the root of trust: it allows the principal by name, or it names the account and so leaves the decision to the
 * account, that is to the account's root user and to the policies of its users and roles; a grant for a key is as good.
 * What has no policy is the account's to decide. The policies of a session limit all of that, but not what the
 * resource's policy gives to the session by its own name.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 */
export function evaluate(question: Question, policies: Policies): Decision {
  const weighing = {
    question,
    action: question.action.toLowerCase(),
    valueOf: singleValue(question.context),
    effort: new Effort(),
  }
  try {
    return decide(policies, weighing)
  } catch (error) {
    if (error instanceof TooMuchEffort) return { allowed: false, because: 'too much effort' }
    throw error
  }
}

/** A question under way. */
interface Weighing {
  readonly question: Question
  /** In lower case. */
  readonly action: string
  readonly valueOf: ValueOf
  readonly effort: Effort
}

function decide(policies: Policies, weighing: Weighing): Decision {
  const ofResource = policies.resourcePolicy === undefined ? [] : [policies.resourcePolicy]
  const denying = policies.denyingPolicy === undefined ? ofResource : [...ofResource, policies.denyingPolicy]
  const denies = (statement: Statement): boolean => denied(statement, weighing)
  const deny =
    find('resource-based', denying, denies) ??
    find('identity-based', policies.identityPolicies, denies) ??
    find('session', policies.sessionPolicies ?? [], denies)
  if (deny !== undefined) return { allowed: false, because: 'explicit deny', ground: deny }
  const byName = find('resource-based', ofResource, (one) => allowed(one, ['itself'], weighing))
  if (byName !== undefined) return { allowed: true, grounds: [byName] }
  const outcome = allowWithinSession(policies, weighing)
  if ('missing' in outcome) return { allowed: false, because: 'no allow', missing: outcome.missing }
  return { allowed: true, grounds: outcome }
}

/** What the decision rests on, or of which kind the policy is that would have to allow it. */
type Grounds = readonly Ground[] | { readonly missing: PolicyType }

function allowWithinSession(policies: Policies, weighing: Weighing): Grounds {
  const grounds = allowDirectly(policies, weighing) ?? allowByAccount(policies, weighing)
  if ('missing' in grounds || policies.sessionPolicies === undefined) return grounds
  const ofSession = find('session', policies.sessionPolicies, (one) => allowed(one, [], weighing))
  return ofSession === undefined ? { missing: 'session' } : [...grounds, ofSession]
}

/** By the resource's policy, as one of a role or of all; or by a grant. */
function allowDirectly(policies: Policies, weighing: Weighing): readonly Ground[] | undefined {
  const ofResource = policies.resourcePolicy === undefined ? [] : [policies.resourcePolicy]
  const byPolicy = find('resource-based', ofResource, (one) => allowed(one, reachesOf(weighing), weighing))
  if (byPolicy !== undefined) return [byPolicy]
  const grant = policies.grants.find((one) => granted(one, ['itself', 'role'], weighing))
  return grant && [{ type: 'grant', grantId: grant.grantId }]
}

/**
 * `*` is everyone who can sign. A provider that serves the public vouches for anybody, so whoever comes by one has to be
 * meant by its name.
 */
function reachesOf({ question }: Weighing): Reach[] {
  return question.principal.type === 'WebIdentityUser' ? ['role'] : ['role', 'everyone']
}

/** The account decides what is left to it, by the policies of its users and roles. */
function allowByAccount(policies: Policies, weighing: Weighing): Grounds {
  const left = leftToAccount(policies, weighing)
  if ('missing' in left) return left
  if (weighing.question.principal.type === 'Root') return [...left, { type: 'root user' }]
  const ofIdentity = find('identity-based', policies.identityPolicies, (one) => allowed(one, [], weighing))
  return ofIdentity === undefined ? { missing: 'identity-based' } : [...left, ofIdentity]
}

function leftToAccount({ resourcePolicy, grants }: Policies, weighing: Weighing): Grounds {
  if (resourcePolicy === undefined) return []
  const byPolicy = find('resource-based', [resourcePolicy], (one) => allowed(one, ['account'], weighing))
  if (byPolicy !== undefined) return [byPolicy]
  const grant = grants.find((one) => granted(one, ['account'], weighing))
  return grant === undefined ? { missing: 'resource-based' } : [{ type: 'grant', grantId: grant.grantId }]
}

function find(
  type: PolicyType,
  policies: readonly NamedPolicy[],
  decides: (statement: Statement) => boolean,
): PolicyGround | undefined {
  for (const { source, document } of policies) {
    const statement = document.statements.find(decides)
    if (statement !== undefined) return { type, policy: source, statement: statement.name }
  }
  return undefined
}

/** The account as principal of a Deny means everyone in it. */
function denied(statement: Statement, weighing: Weighing): boolean {
  return (
    statement.effect === 'Deny' &&
    isAbout(statement, ['itself', 'role', 'account', 'everyone'], weighing) &&
    fits(statement, weighing, false)
  )
}

function allowed(statement: Statement, by: readonly Reach[], weighing: Weighing): boolean {
  return statement.effect === 'Allow' && isAbout(statement, by, weighing) && fits(statement, weighing, true)
}

/** A policy without principals is about whom it belongs to. */
function isAbout({ principals }: Statement, by: readonly Reach[], { question }: Weighing): boolean {
  return (
    principals === undefined || reaches(principals, question.principal).some((reach) => by.includes(reach))
  )
}

/** `strict`: what can't be judged of a statement counts as not met; otherwise as met. */
function fits(statement: Statement, weighing: Weighing, strict: boolean): boolean {
  const { question, action, effort } = weighing
  effort.spend(1)
  return (
    coversAction(statement.actions, action, effort) &&
    (statement.resources === undefined ||
      (coversResource(statement.resources, question.resource, weighing) ?? !strict)) &&
    statement.conditions.every((condition) => holds(condition, question.context, effort) ?? !strict)
  )
}

function granted(grant: ApplicableGrant, by: readonly Reach[], { question }: Weighing): boolean {
  const reach = reachOfGrantee(grant, question.principal)
  return reach !== undefined && by.includes(reach) && covers(grant, question)
}
