import {
  type NamedPolicy,
  parseIdentityPolicy,
  parseKeyPolicy,
  parseSessionPolicy,
} from '../../src/kms/policy/document.ts'
import { type Decision, evaluate, type Question } from '../../src/kms/policy/evaluate.ts'
import type { ApplicableGrant } from '../../src/kms/policy/grant.ts'
import type { Principal } from '../../src/kms/principal.ts'
import { testKeyArn } from './principals.ts'

/* For tests of the evaluator: policies in few words, and what comes of them. */

export const allow = (principal: unknown, more: object = {}): object => ({
  Effect: 'Allow',
  Principal: principal,
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
})
export const deny = (principal: unknown, more: object = {}): object => ({
  ...allow(principal, more),
  Effect: 'Deny',
})
export const everything = { Effect: 'Allow', Action: '*', Resource: '*' }
export const decryptOnly = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }
export const nothing = { Effect: 'Deny', Action: '*', Resource: '*' }

export const text = (statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
export const keyPolicy = (...statements: object[]): NamedPolicy => ({
  source: 'key policy',
  document: parseKeyPolicy(text(statements)),
})
export const identity = (...statements: object[]): NamedPolicy => ({
  source: 'inline policy P of user alice',
  document: parseIdentityPolicy(text(statements)),
})
export const sessionPolicy = (...statements: object[]): NamedPolicy => ({
  source: 'session policy',
  document: parseSessionPolicy(text(statements)),
})
export const grantTo = (
  granteePrincipal: string,
  granteeId: string | undefined,
  more: object = {},
): ApplicableGrant => ({
  grantId: 'g1',
  granteePrincipal,
  granteeId,
  operations: ['Decrypt'],
  constraints: undefined,
  ...more,
})

export interface Applying {
  readonly resource?: NamedPolicy | undefined
  readonly identity?: NamedPolicy
  readonly session?: NamedPolicy
  readonly grant?: ApplicableGrant
  readonly question?: Partial<Question>
}

export function decision(principal: Principal, applying: Applying): Decision {
  return evaluate(
    {
      principal,
      action: 'kms:Decrypt',
      resource: testKeyArn,
      context: new Map(),
      encryptionContext: undefined,
      newGrant: undefined,
      ...applying.question,
    },
    {
      resourcePolicy: applying.resource,
      identityPolicies: applying.identity === undefined ? [] : [applying.identity],
      sessionPolicies: applying.session === undefined ? undefined : [applying.session],
      grants: applying.grant === undefined ? [] : [applying.grant],
    },
  )
}

/** In short: what the decision rests on, or why not. */
export function outcome(principal: Principal, applying: Applying): string {
  const decided = decision(principal, applying)
  if (decided.allowed) {
    return `allowed: ${decided.grounds.map((one) => ('statement' in one ? `${one.type} ${short(one.statement)}` : one.type)).join(', ')}`
  }
  if (decided.because === 'explicit deny')
    return `denied: ${decided.ground.type} ${short(decided.ground.statement)}`
  return decided.because === 'no allow' ? `no ${decided.missing}` : decided.because
}

/** A statement by its Sid, where it has one. */
function short(statement: string): string {
  return statement.replace(/^statement \d+ "(.*)"$/, '$1')
}
