import { AwsException } from '../protocol/exceptions.ts'
import { type ActionList, readActions } from './actions.ts'
import { type Condition, parseConditions } from './conditions.ts'
import { type RawDocument, type RawStatement, readRawDocument } from './document-schema.ts'
import { requireQuickConditions } from './limits.ts'
import { malformed } from './malformed.ts'
import { requireNoMistakes } from './mistakes.ts'
import { type PolicyKind, policyKinds } from './policy-kinds.ts'
import { type PrincipalName, principalText, readPrincipals } from './principals.ts'
import { readResources, type ResourceList } from './resources.ts'

/** A policy, checked: it holds nothing that the evaluator does not understand. */
export interface PolicyDocument {
  readonly statements: readonly Statement[]
}

export interface Statement {
  /** `statement 2`, or with its `Sid`: `statement 2 "NoExport"`. */
  readonly name: string
  readonly effect: 'Allow' | 'Deny'
  /** Undefined in an identity policy and a session policy, which are about who they belong to. */
  readonly principals: readonly PrincipalName[] | undefined
  readonly actions: ActionList
  /** Undefined in a trust policy, which is about its role. */
  readonly resources: ResourceList | undefined
  readonly conditions: readonly Condition[]
}

/** A policy, and what operators call it. */
export interface NamedPolicy {
  /** `key policy`, `inline policy P of user U`, the ARN of a managed policy, `session policy`. */
  readonly source: string
  readonly document: PolicyDocument
}

/** Amazon's quota for a key policy document, in bytes. */
export const maxPolicyBytes = 32_768

/** The policy of a key, as someone puts it. This and the others throw MalformedPolicyDocumentException. */
export function parseKeyPolicy(text: string): PolicyDocument {
  return parsePolicy('key', text)
}

/** A policy of a user, group or role. */
export function parseIdentityPolicy(text: string): PolicyDocument {
  return parsePolicy('identity', text)
}

/** Who may assume a role. */
export function parseTrustPolicy(text: string): PolicyDocument {
  return parsePolicy('trust', text)
}

/** What limits a session of a role. */
export function parseSessionPolicy(text: string): PolicyDocument {
  return parsePolicy('session', text)
}

export function parseStoredKeyPolicy(text: string, onUnreadable: (why: string) => void): PolicyDocument {
  return parseStoredPolicy('key', text, onUnreadable)
}

/**
 * A stored policy that can't be read denies everything to everybody it is about: the newer release that wrote it may
 * have meant a Deny that only this policy holds, while others go on allowing. `onUnreadable` is told why.
 */
export function parseStoredPolicy(
  kind: PolicyKind,
  text: string,
  onUnreadable: (why: string) => void,
): PolicyDocument {
  try {
    return readPolicy(kind, readRawDocument(text))
  } catch (error) {
    if (!(error instanceof AwsException)) throw error
    onUnreadable(error.message)
    return { statements: [denyEverything(kind)] }
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

/** Every account, user, role and session that the policy names, by ARN. */
export function namedPrincipals(policy: PolicyDocument): string[] {
  return policy.statements
    .flatMap(({ principals }) => principals ?? [])
    .filter(({ type }) => type === 'account' || type === 'identity')
    .map(principalText)
}

/** Refuses whatever we could not evaluate as it is meant: better refused than half obeyed. */
function parsePolicy(kind: PolicyKind, text: string): PolicyDocument {
  const raw = readRawDocument(text)
  requireNoMistakes(kind, raw)
  return readPolicy(kind, raw)
}

function readPolicy(kind: PolicyKind, raw: RawDocument): PolicyDocument {
  const variables = raw.Version === '2012-10-17'
  const statements = raw.Statement.map((one, index) => readStatement(one, { kind, variables, index }))
  requireQuickConditions(statements.flatMap(({ conditions }) => conditions))
  return { statements }
}

interface Place {
  readonly kind: PolicyKind
  readonly variables: boolean
  readonly index: number
}

function readStatement(raw: RawStatement, place: Place): Statement {
  return {
    name: `statement ${place.index + 1}${raw.Sid === undefined || raw.Sid === '' ? '' : ` "${raw.Sid}"`}`,
    effect: raw.Effect,
    principals: principalsOf(raw, place.kind),
    actions: actionsOf(raw, place.kind),
    resources: resourcesOf(raw, place),
    conditions: parseConditions(raw.Condition ?? {}, place.variables),
  }
}

function principalsOf(raw: RawStatement, kind: PolicyKind): PrincipalName[] | undefined {
  if (raw.NotPrincipal !== undefined) {
    throw malformed('NotPrincipal is not supported; use a condition on aws:PrincipalArn instead')
  }
  if (!policyKinds[kind].hasPrincipals) {
    if (raw.Principal !== undefined) throw malformed('Policy document should not specify a principal.')
    return undefined
  }
  if (raw.Principal === undefined) throw malformed('a statement needs a Principal')
  if (!policyKinds[kind].hasFederated && raw.Principal.Federated.length > 0) {
    throw malformed('only a trust policy of a role has Federated principals')
  }
  return readPrincipals(raw.Principal)
}

function actionsOf(raw: RawStatement, kind: PolicyKind): ActionList {
  const { negated, texts } = either('Action', raw.Action, raw.NotAction)
  for (const pattern of texts) {
    if (policyKinds[kind].acceptsActions(pattern)) continue
    throw malformed(`Action ${pattern} is not an action of ${policyKinds[kind].actions}`)
  }
  return readActions(texts, negated)
}

function resourcesOf(raw: RawStatement, { kind, variables }: Place): ResourceList | undefined {
  if (!policyKinds[kind].hasResources) {
    if (raw.Resource === undefined && raw.NotResource === undefined) return undefined
    throw malformed('Has prohibited field Resource')
  }
  const { negated, texts } = either('Resource', raw.Resource, raw.NotResource)
  return readResources(texts, { negated, variables })
}

function either(
  name: string,
  is: string[] | undefined,
  isNot: string[] | undefined,
): { negated: boolean; texts: string[] } {
  if (is !== undefined && isNot === undefined) return { negated: false, texts: is }
  if (isNot !== undefined && is === undefined) return { negated: true, texts: isNot }
  throw malformed(`a statement needs one of ${name} and Not${name}`)
}

function denyEverything(kind: PolicyKind): Statement {
  return {
    name: 'the stored policy cannot be read',
    effect: 'Deny',
    principals: policyKinds[kind].hasPrincipals ? [{ type: 'everyone' }] : undefined,
    actions: readActions(['*'], false),
    resources: undefined,
    conditions: [],
  }
}
