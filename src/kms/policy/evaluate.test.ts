import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  allow,
  decision,
  decryptOnly,
  deny,
  everything,
  grantTo,
  identity,
  keyPolicy,
  nothing,
  outcome,
  sessionPolicy,
  text,
  type Applying,
} from '../../../test/support/policies.ts'
import {
  alice,
  aliceArn,
  bob,
  deployArn,
  deploySessionArn,
  nightly,
  root,
  rootArn,
  testKeyArn,
} from '../../../test/support/principals.ts'
import type { Principal } from '../principal.ts'
import { type NamedPolicy, parseKeyPolicy, parseStoredPolicy, parseTrustPolicy } from './document.ts'
import { evaluate } from './evaluate.ts'

describe('the order of judgement', () => {
  const delegating = keyPolicy(allow({ AWS: rootArn }, { Sid: 'IAM' }))
  const named = keyPolicy(allow({ AWS: aliceArn }, { Sid: 'Alice' }))
  const toRole = keyPolicy(allow({ AWS: deployArn }, { Sid: 'Role' }))
  const toSession = keyPolicy(allow({ AWS: deploySessionArn }, { Sid: 'Session' }))
  const toAll = keyPolicy(allow('*', { Sid: 'All' }))
  const toNobody = keyPolicy(allow({ AWS: `${aliceArn}x` }))
  const otherAction = { Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' }
  const grantToAlice = grantTo(aliceArn, 'AIDAALICE')
  const grantToRole = grantTo(deployArn, 'AROADEPLOY')
  const table: [what: string, Principal, Applying, expected: string][] = [
    ['what has no policy is for the root user', root, {}, 'allowed: root user'],
    ['and for nobody else', alice, {}, 'no identity-based'],
    [
      'but by identity policies',
      alice,
      { identity: identity(everything) },
      'allowed: identity-based statement 1',
    ],
    [
      'an identity policy is enough where the key policy leaves it to the account',
      alice,
      { resource: delegating, identity: identity(decryptOnly) },
      'allowed: resource-based IAM, identity-based statement 1',
    ],
    [
      'and must allow the action',
      alice,
      { resource: delegating, identity: identity(otherAction) },
      'no identity-based',
    ],
    [
      'and is worth nothing where it does not',
      alice,
      { resource: toNobody, identity: identity(everything) },
      'no resource-based',
    ],
    [
      'the account is left the actions that the key policy says',
      alice,
      {
        resource: keyPolicy(allow({ AWS: rootArn }, { Action: 'kms:Encrypt' })),
        identity: identity(everything),
      },
      'no resource-based',
    ],
    [
      'a name in the key policy needs no identity policy',
      alice,
      { resource: named },
      'allowed: resource-based Alice',
    ],
    [
      'a Deny in an identity policy wins over it',
      alice,
      { resource: named, identity: identity(nothing) },
      'denied: identity-based statement 1',
    ],
    [
      'a Deny in the key policy wins over an identity policy',
      alice,
      {
        resource: keyPolicy(allow({ AWS: rootArn }), deny({ AWS: aliceArn }, { Sid: 'No' })),
        identity: identity(everything),
      },
      'denied: resource-based No',
    ],
    [
      'a Deny in a session policy wins over the name of the session in the key policy',
      nightly,
      { resource: toSession, session: sessionPolicy(nothing) },
      'denied: session statement 1',
    ],
    ['a grant needs neither', alice, { resource: toNobody, grant: grantToAlice }, 'allowed: grant'],
    [
      'a Deny in the key policy wins over a grant',
      alice,
      { resource: keyPolicy(deny('*')), grant: grantToAlice },
      'denied: resource-based statement 1',
    ],
    [
      'a Deny in an identity policy wins over a grant',
      alice,
      { resource: toNobody, identity: identity(nothing), grant: grantToAlice },
      'denied: identity-based statement 1',
    ],
    [
      'a Deny in a session policy wins over a grant',
      nightly,
      { resource: toNobody, session: sessionPolicy(nothing), grant: grantToRole },
      'denied: session statement 1',
    ],
    ["a grant is not another one's", bob, { resource: toNobody, grant: grantToAlice }, 'no resource-based'],
    [
      "a grant is not the root user's",
      root,
      { resource: toNobody, grant: grantToAlice },
      'no resource-based',
    ],
    [
      'a grant to somebody earlier of the same name is nobody’s',
      alice,
      { resource: toNobody, grant: grantTo(aliceArn, 'AIDAEARLIER') },
      'no resource-based',
    ],
    [
      'so is one whose grantee has no unique id',
      alice,
      { resource: toNobody, grant: grantTo(aliceArn, undefined) },
      'no resource-based',
    ],
    [
      'a grant of other operations',
      alice,
      { resource: toNobody, grant: { ...grantToAlice, operations: ['Encrypt'] } },
      'no resource-based',
    ],
    [
      'a grant to a role is for its sessions',
      nightly,
      { resource: toNobody, grant: grantToRole },
      'allowed: grant',
    ],
    [
      'a grant to a role of the same name that is gone',
      nightly,
      { resource: toNobody, grant: grantTo(deployArn, 'AROAEARLIER') },
      'no resource-based',
    ],
    [
      'a grant to a session',
      nightly,
      { resource: toNobody, grant: grantTo(deploySessionArn, 'AROADEPLOY:nightly') },
      'allowed: grant',
    ],
    [
      'a grant to the account leaves it to the account',
      alice,
      { resource: toNobody, grant: grantTo(rootArn, undefined), identity: identity(decryptOnly) },
      'allowed: grant, identity-based statement 1',
    ],
    [
      'and alone allows its users nothing',
      alice,
      { resource: toNobody, grant: grantTo(rootArn, undefined) },
      'no identity-based',
    ],
    ['but the root user', root, { resource: toNobody, grant: grantTo(rootArn, undefined) }, 'allowed: grant'],
    ['a role is named in the key policy', nightly, { resource: toRole }, 'allowed: resource-based Role'],
    [
      'its session policy limits that',
      nightly,
      { resource: toRole, session: sessionPolicy(otherAction) },
      'no session',
    ],
    [
      'but not where it allows it too',
      nightly,
      { resource: toRole, session: sessionPolicy(decryptOnly) },
      'allowed: resource-based Role, session statement 1',
    ],
    [
      'it does not limit what the session gets by its own name',
      nightly,
      { resource: toSession, session: sessionPolicy(otherAction) },
      'allowed: resource-based Session',
    ],
    [
      'it limits what everybody may',
      nightly,
      { resource: toAll, session: sessionPolicy(otherAction) },
      'no session',
    ],
    [
      'it limits grants to the role',
      nightly,
      { resource: toNobody, grant: grantToRole, session: sessionPolicy(otherAction) },
      'no session',
    ],
    [
      'it limits grants to the session',
      nightly,
      {
        resource: toNobody,
        grant: grantTo(deploySessionArn, 'AROADEPLOY:nightly'),
        session: sessionPolicy(otherAction),
      },
      'no session',
    ],
    [
      'it limits identity policies',
      nightly,
      { resource: delegating, identity: identity(everything), session: sessionPolicy(otherAction) },
      'no session',
    ],
    [
      'it gives nothing by itself',
      nightly,
      { resource: delegating, session: sessionPolicy(everything) },
      'no identity-based',
    ],
    [
      'it limits what has no policy',
      nightly,
      { identity: identity(everything), session: sessionPolicy(otherAction) },
      'no session',
    ],
    [
      'where all three agree',
      nightly,
      { resource: delegating, identity: identity(everything), session: sessionPolicy(decryptOnly) },
      'allowed: resource-based IAM, identity-based statement 1, session statement 1',
    ],
    [
      'any one of several policies is enough',
      alice,
      { identity: identity(otherAction, { ...decryptOnly, Sid: 'Second' }) },
      'allowed: identity-based Second',
    ],
  ]
  for (const [what, principal, applying, expected] of table) {
    test(what, () => {
      assert.equal(outcome(principal, applying), expected)
    })
  }
  test('is tried in full', () => {
    assert.equal(table.length, 38)
  })
})

test('no session policies at all allow a session nothing', () => {
  const asked = { principal: nightly, action: 'kms:Decrypt', resource: testKeyArn, context: new Map() }
  const decided = evaluate(
    { ...asked, encryptionContext: undefined, newGrant: undefined },
    { resourcePolicy: undefined, identityPolicies: [identity(everything)], sessionPolicies: [], grants: [] },
  )
  assert.deepEqual(decided, { allowed: false, because: 'no allow', missing: 'session' })
})

test('a decision names the policy and the statement', () => {
  const delegating = keyPolicy(allow({ AWS: rootArn }, { Sid: 'IAM' }))
  assert.deepEqual(decision(alice, { resource: delegating, identity: identity(everything) }), {
    allowed: true,
    grounds: [
      { type: 'resource-based', policy: 'key policy', statement: 'statement 1 "IAM"' },
      { type: 'identity-based', policy: 'inline policy P of user alice', statement: 'statement 1' },
    ],
  })
  assert.deepEqual(decision(alice, { resource: delegating, identity: identity(everything, nothing) }), {
    allowed: false,
    because: 'explicit deny',
    ground: { type: 'identity-based', policy: 'inline policy P of user alice', statement: 'statement 2' },
  })
  assert.deepEqual(decision(alice, { grant: grantTo(aliceArn, 'AIDAALICE') }), {
    allowed: true,
    grounds: [{ type: 'grant', grantId: 'g1' }],
  })
})

test('a trust policy decides as a key policy does', () => {
  const trust = (statement: object): NamedPolicy => ({
    source: 'trust policy of role deploy',
    document: parseTrustPolicy(text([{ Action: 'sts:AssumeRole', ...statement }])),
  })
  const question = { action: 'sts:AssumeRole', resource: deployArn }
  const toAlice = trust({ Effect: 'Allow', Principal: { AWS: aliceArn } })
  assert.equal(decision(alice, { resource: toAlice, question }).allowed, true)
  assert.equal(decision(bob, { resource: toAlice, question }).allowed, false)
  assert.equal(
    decision(bob, { resource: toAlice, question, identity: identity(everything) }).allowed,
    false,
    'an identity policy alone does not open a role',
  )
  const toAccount = trust({ Effect: 'Allow', Principal: { AWS: rootArn } })
  assert.equal(decision(alice, { resource: toAccount, question }).allowed, false)
  assert.equal(
    decision(alice, { resource: toAccount, question, identity: identity(everything) }).allowed,
    true,
  )
  const tagging = { action: 'sts:TagSession', resource: deployArn }
  assert.equal(decision(alice, { resource: toAlice, question: tagging }).allowed, false)
})

test('a condition that cannot be judged neither allows nor keeps a Deny from denying', () => {
  const context = new Map([['kms:encryptioncontext:dept', ['IT', 'HR']]])
  for (const wanted of ['IT', 'XX']) {
    const Condition = { StringEquals: { 'kms:EncryptionContext:dept': wanted } }
    const question = { context }
    assert.equal(
      outcome(alice, { resource: keyPolicy(allow('*', { Condition })), question }),
      'no resource-based',
    )
    const denying = keyPolicy(allow('*'), deny('*', { Condition }))
    assert.equal(outcome(alice, { resource: denying, question }), 'denied: resource-based statement 2')
  }
})

test('a stored policy that cannot be read denies, whatever else allows', () => {
  const unreadable = (kind: 'key' | 'identity' | 'session'): NamedPolicy => ({
    source: kind,
    document: parseStoredPolicy(kind, '{"Statement":[]}', () => undefined),
  })
  const toAll = keyPolicy(allow('*'))
  for (const principal of [root, alice, nightly]) {
    assert.equal(
      outcome(principal, { resource: unreadable('key'), identity: identity(everything) }),
      'denied: resource-based the stored policy cannot be read',
    )
  }
  assert.equal(
    outcome(alice, { resource: toAll, identity: unreadable('identity') }),
    'denied: identity-based the stored policy cannot be read',
  )
  assert.equal(
    outcome(nightly, { resource: toAll, session: unreadable('session') }),
    'denied: session the stored policy cannot be read',
  )
})

test('a NotResource with a variable that has no value allows nothing, and denies', () => {
  const NotResource = 'arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/Own}'
  const all = { Action: '*', Resource: undefined, NotResource }
  const question = { context: new Map([['aws:principaltag/own', ['mine']]]) }
  const byTag = {
    resource: keyPolicy(allow({ AWS: rootArn })),
    identity: identity({ Effect: 'Allow', ...all }),
  }
  assert.equal(decision(alice, { ...byTag, question }).allowed, true)
  assert.equal(outcome(alice, byTag), 'no identity-based')
  const denying = { resource: keyPolicy(allow('*')), identity: identity({ Effect: 'Deny', ...all }) }
  assert.equal(outcome(alice, denying), 'denied: identity-based statement 1')
})

test('variables are of the version of 2012', () => {
  const context = new Map([['aws:username', ['alice']]])
  const ifAlice = { StringEquals: { 'aws:username': '${aws:username}' } }
  for (const [Version, expected] of [
    ['2012-10-17', true],
    ['2008-10-17', false],
    [undefined, false],
  ] as const) {
    const policy = parseKeyPolicy(JSON.stringify({ Version, Statement: allow('*', { Condition: ifAlice }) }))
    const resource = { source: 'key policy', document: policy }
    assert.equal(decision(alice, { resource, question: { context } }).allowed, expected, Version)
  }
})
