import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  alice,
  aliceArn,
  deployArn,
  deploySessionArn,
  nightly,
  root,
  rootArn,
  testKeyArn,
} from '../../../test/support/principals.ts'
import type { Principal } from '../principal.ts'
import { parseIdentityPolicy, parseKeyPolicy, parseSessionPolicy, type PolicyDocument } from './document.ts'
import { evaluate, type Policies } from './evaluate.ts'
import type { ApplicableGrant } from './grant.ts'

/* What holds for all policies, on many that nobody wrote. */

interface RawPolicies {
  readonly key: readonly object[]
  readonly identity: readonly object[]
  readonly session: readonly object[] | undefined
  readonly grants: readonly ApplicableGrant[]
}

const actions = fc.constantFrom('kms:Decrypt', 'kms:Encrypt', 'kms:*', 'kms:De*', '*')
const resources = fc.constantFrom('*', testKeyArn, 'arn:aws:kms:*:*:key/*', `${testKeyArn}0`)
const conditions = fc.constantFrom(
  {},
  {},
  {},
  { StringEquals: { 'kms:EncryptionContext:app': 'x' } },
  { StringNotEquals: { 'kms:EncryptionContext:app': 'x' } },
  { StringLikeIfExists: { 'aws:PrincipalTag/team': 'a*' } },
  { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'app' } },
  { Null: { 'aws:PrincipalTag/team': true } },
)
const principalNames = fc.constantFrom(
  '*',
  { AWS: rootArn },
  { AWS: aliceArn },
  { AWS: deployArn },
  { AWS: deploySessionArn },
)
const identityStatement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Allow', 'Allow', 'Deny'),
  Action: actions,
  Resource: resources,
  Condition: conditions,
})
const keyStatement = fc
  .tuple(identityStatement, principalNames)
  .map(([statement, Principal]) => ({ ...statement, Principal }))
const grant: fc.Arbitrary<ApplicableGrant> = fc
  .tuple(
    fc.constantFrom([aliceArn, 'AIDAALICE'] as const, [deployArn, 'AROADEPLOY'] as const),
    fc.subarray(['Decrypt', 'Encrypt']),
    fc.constantFrom(undefined, { encryptionContextSubset: new Map([['app', 'x']]) }),
  )
  .map(([[granteePrincipal, granteeId], operations, constraints]) => ({
    grantId: 'g',
    granteePrincipal,
    granteeId,
    operations,
    constraints,
  }))
const policies: fc.Arbitrary<RawPolicies> = fc.record({
  key: fc.array(keyStatement, { maxLength: 4 }),
  identity: fc.array(identityStatement, { maxLength: 4 }),
  session: fc.option(fc.array(identityStatement, { maxLength: 3 }), { nil: undefined }),
  grants: fc.array(grant, { maxLength: 2 }),
})
const principals: fc.Arbitrary<Principal> = fc.constantFrom<Principal>(root, alice, nightly)
const contexts = fc.record(
  { app: fc.constantFrom('x', 'y'), team: fc.constantFrom('ab', 'b', '*') },
  { requiredKeys: [] },
)

interface Asked {
  readonly raw: RawPolicies
  readonly principal: Principal
  readonly given: { app?: string; team?: string }
}
const asked: fc.Arbitrary<Asked> = fc.record({ raw: policies, principal: principals, given: contexts })

function parsed(parse: (text: string) => PolicyDocument, statements: readonly object[]): PolicyDocument {
  return statements.length === 0 ? { statements: [] } : parse(textOf(statements))
}

function textOf(statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

function isAllowed({ raw, principal, given }: Asked): boolean {
  const context = new Map<string, readonly string[]>()
  const { app, team } = given
  if (app !== undefined) {
    context.set('kms:encryptioncontext:app', [app])
    context.set('kms:encryptioncontextkeys', ['app'])
  }
  if (team !== undefined) context.set('aws:principaltag/team', [team])
  const all: Policies = {
    resourcePolicy: { source: 'key policy', document: parsed(parseKeyPolicy, raw.key) },
    identityPolicies: [{ source: 'identity policy', document: parsed(parseIdentityPolicy, raw.identity) }],
    sessionPolicies: raw.session && [
      { source: 'session policy', document: parsed(parseSessionPolicy, raw.session) },
    ],
    grants: raw.grants,
  }
  const encryptionContext = new Map(app === undefined ? [] : [['app', app]])
  return evaluate(
    {
      principal,
      action: 'kms:Decrypt',
      resource: testKeyArn,
      context,
      encryptionContext,
      newGrant: undefined,
    },
    all,
  ).allowed
}

const runs = { numRuns: 3000 }
const effect = (Effect: string) => (statement: object) => ({ ...statement, Effect })

test('a Deny for everybody and everything always wins', () => {
  const total = { Effect: 'Deny', Action: '*', Resource: '*' }
  fc.assert(
    fc.property(asked, fc.constantFrom('key', 'identity', 'session'), ({ raw, ...rest }, where) => {
      const added = where === 'key' ? { ...total, Principal: '*' } : total
      const denied = { ...raw, [where]: [...(raw[where] ?? []), added] }
      assert.equal(isAllowed({ raw: denied, ...rest }), false)
    }),
    runs,
  )
})

test('one more Allow never takes access away, one more Deny never gives any', () => {
  const growth = fc.oneof(
    keyStatement.map((statement) => ({ where: 'key' as const, statement })),
    identityStatement.map((statement) => ({ where: 'identity' as const, statement })),
    identityStatement.map((statement) => ({ where: 'session' as const, statement })),
  )
  let compared = 0
  fc.assert(
    fc.property(asked, growth, ({ raw, ...rest }, { where, statement }) => {
      if (where === 'session' && raw.session === undefined) return
      const grown = (Effect: string): boolean =>
        isAllowed({ raw: { ...raw, [where]: [...(raw[where] ?? []), effect(Effect)(statement)] }, ...rest })
      const before = isAllowed({ raw, ...rest })
      if (before) assert.equal(grown('Allow'), true)
      else assert.equal(grown('Deny'), false)
      compared++
    }),
    runs,
  )
  assert.ok(compared > 1500, `${compared}`)
})

test('the order of statements and of grants decides nothing', () => {
  fc.assert(
    fc.property(asked, ({ raw, ...rest }) => {
      const turned: RawPolicies = {
        key: raw.key.toReversed(),
        identity: raw.identity.toReversed(),
        session: raw.session?.toReversed(),
        grants: raw.grants.toReversed(),
      }
      assert.equal(isAllowed({ raw: turned, ...rest }), isAllowed({ raw, ...rest }))
    }),
    runs,
  )
})

test('a session policy never gives access', () => {
  fc.assert(
    fc.property(asked, ({ raw, ...rest }) => {
      if (!isAllowed({ raw: { ...raw, session: undefined }, ...rest })) {
        assert.equal(isAllowed({ raw, ...rest }), false)
      }
    }),
    runs,
  )
})

test('the questions are of both kinds', () => {
  const outcomes = fc.sample(asked, { numRuns: 2000, seed: 1 }).map(isAllowed)
  const allowed = outcomes.filter(Boolean).length
  assert.ok(allowed > 300 && allowed < 1700, `${allowed} of 2000 were allowed`)
})

test('what comes out of a variable is compared as text, whatever it holds', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '$', '{', '}', ':') })
  fc.assert(
    fc.property(value, value, fc.constantFrom('StringLike', 'StringEquals'), (tag, name, operator) => {
      const Condition = { [operator]: { 'aws:username': '${aws:PrincipalTag/team}' } }
      const document = parseIdentityPolicy(
        textOf([{ Effect: 'Allow', Action: '*', Resource: '*', Condition }]),
      )
      const context = new Map([
        ['aws:principaltag/team', [tag]],
        ['aws:username', [name]],
      ])
      const { allowed } = evaluate(
        {
          principal: alice,
          action: 'a',
          resource: '*',
          context,
          encryptionContext: undefined,
          newGrant: undefined,
        },
        {
          resourcePolicy: undefined,
          identityPolicies: [{ source: 'p', document }],
          sessionPolicies: undefined,
          grants: [],
        },
      )
      assert.equal(allowed, tag === name)
    }),
    runs,
  )
})
