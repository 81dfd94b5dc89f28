import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { kmsState } from '../../../test/support/kms-state.ts'
import { rootArn } from '../../../test/support/principals.ts'
import type { State } from '../operations/call.ts'
import type { Key } from '../state/keys.ts'
import { keyActions } from './key-actions.ts'
import { simulationHandlers } from './handlers.ts'
import { simulate, type Simulation } from './simulate.ts'

const policyOf = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const aliceArn = 'arn:aws:iam::111122223333:user/alice'
const deployArn = 'arn:aws:iam::111122223333:role/ops/deploy'

interface Scene {
  readonly state: State
  readonly key: Key
}

/** alice decrypts with MFA by an inline policy, the role deploy by a grant, its session `nightly` by the key policy. */
async function scene(t: TestContext): Promise<Scene> {
  const state = await kmsState(t)
  const alice = state.users.create({ userName: 'alice', path: '/', tags: new Map([['team', 'payroll']]) })
  state.users.create({ userName: 'bob', path: '/', tags: new Map() })
  const deploy = state.roles.create(
    { roleName: 'deploy', path: '/ops/', tags: new Map([['team', 'ops']]) },
    {
      description: undefined,
      maxSessionSeconds: 3600,
      trust: {
        document: policyOf({
          Effect: 'Allow',
          Principal: { AWS: alice.arn },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': 'x' } },
        }),
        principalIds: new Map([[alice.arn, alice.userId]]),
      },
    },
  )
  const nightlyArn = 'arn:aws:sts::111122223333:assumed-role/deploy/nightly'
  const key = state.keys.create({
    description: '',
    policy: policyOf(
      { Sid: 'Account', Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' },
      {
        Sid: 'Nightly',
        Effect: 'Allow',
        Principal: { AWS: nightlyArn },
        Action: 'kms:Encrypt',
        Resource: '*',
      },
      {
        Sid: 'NotFromOutside',
        Effect: 'Deny',
        Principal: '*',
        Action: '*',
        Resource: '*',
        Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '127.0.0.0/8'] } },
      },
    ),
    policyPrincipals: new Map([[nightlyArn, `${deploy.roleId}:nightly`]]),
  })
  state.aliases.create('alias/payroll', key.keyId)
  state.inlinePolicies.put(
    alice.userId,
    'WithMfa',
    policyOf({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: {
        NumericLessThan: { 'aws:MultiFactorAuthAge': 3600 },
        StringEquals: { 'kms:EncryptionContext:team': '${aws:PrincipalTag/team}' },
      },
    }),
  )
  state.grants.create({
    ...{ keyId: key.keyId, name: undefined, retiringPrincipal: undefined, retiringId: undefined },
    granteePrincipal: deploy.arn,
    granteeId: deploy.roleId,
    operations: ['Decrypt', 'CreateGrant'],
    constraints: undefined,
  })
  return { state, key }
}

function ask(question: object, { state }: Scene): string {
  const [first, ...more] = simulate({ actions: ['kms:Decrypt'], ...question }, state)
  assert.ok(first !== undefined && more.length === 0)
  return first.why
}

test('answers as a request would be, and names what decides', async (t) => {
  const now = await scene(t)
  const byAlice = { principal: aliceArn, key: 'alias/payroll' }
  const right = { mfaAge: 60, encryptionContext: [['team', 'payroll']] }
  const left =
    'refused: it is left to the account, and no policy of the principal, its groups or its role allows it'
  const byPolicy =
    'allowed by statement 1 "Account" of key policy, and by statement 1 of inline policy WithMfa of user alice'
  const [grant] = simulate({ principal: deployArn, key: 'alias/payroll' }, now.state).flatMap(
    ({ grants }) => grants,
  )
  const table: [question: object, why: string][] = [
    [{ ...byAlice, ...right }, byPolicy],
    [{ ...byAlice, ...right, key: now.key.keyId }, byPolicy],
    [{ ...byAlice, ...right, key: now.key.arn }, byPolicy],
    [{ ...byAlice, ...right, mfaAge: 3600 }, left],
    [{ ...byAlice, ...right, mfaAge: undefined }, left],
    [{ ...byAlice, ...right, mfaAge: undefined, temporaryCredentials: true }, left],
    [{ ...byAlice, ...right, encryptionContext: [['team', 'ops']] }, left],
    [{ ...byAlice, ...right, encryptionContext: [] }, left],
    [{ ...byAlice, ...right, sourceIp: '10.9.9.9' }, byPolicy],
    [{ ...byAlice, ...right, sourceIp: '192.0.2.1' }, 'denied by statement 3 "NotFromOutside" of key policy'],
    [{ principal: rootArn, key: 'alias/payroll' }, 'allowed by statement 1 "Account" of key policy'],
    [{ principal: deployArn, key: 'alias/payroll' }, `allowed by grant ${grant}`],
    [{ principal: deployArn, key: 'alias/payroll', actions: ['kms:Encrypt'] }, left],
    [
      { principal: deployArn, key: 'alias/payroll', actions: ['kms:CreateGrant'] },
      `allowed by grant ${grant}`,
    ],
    [
      {
        principal: 'arn:aws:sts::111122223333:assumed-role/deploy/nightly',
        key: 'alias/payroll',
        actions: ['kms:Encrypt'],
      },
      'allowed by statement 2 "Nightly" of key policy',
    ],
    [
      {
        principal: deployArn,
        key: 'alias/payroll',
        sessionPolicy: policyOf({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' }),
      },
      "refused: the session's policies do not allow it",
    ],
    [
      {
        principal: deployArn,
        key: 'alias/payroll',
        sessionPolicy: policyOf({
          Effect: 'Allow',
          Action: 'kms:*',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'ops', 'aws:PrincipalTag/more': '1' } },
        }),
        sessionTags: [['more', '1']],
      },
      `allowed by grant ${grant}, and by statement 1 of session policy`,
    ],
    [
      {
        principal: aliceArn,
        actions: ['sts:AssumeRole'],
        resource: deployArn,
        conditionKeys: [['sts:ExternalId', 'x']],
      },
      'allowed by statement 1 of trust policy of role deploy',
    ],
    [
      { principal: aliceArn, actions: ['sts:AssumeRole'], resource: deployArn },
      'refused: the policy of the resource neither allows it to the principal nor leaves it to the account, and no grant does',
    ],
    [{ principal: rootArn, actions: ['kms:CreateKey'] }, "allowed by being the account's root user"],
    [{ principal: aliceArn, actions: ['kms:CreateKey'] }, left],
  ]
  for (const [question, why] of table) assert.equal(ask(question, now), why, JSON.stringify(question))
  assert.equal(table.length, 21)
})

test('lists the policies that had a say, and the state of the key', async (t) => {
  const now = await scene(t)
  now.state.keys.setEnabled(now.key, false)
  const question = { principal: aliceArn, key: 'alias/payroll', actions: ['kms:Decrypt'] }
  const [answer] = simulate(question, now.state)
  assert.deepEqual(
    { policies: answer?.policies, resource: answer?.resource, keyState: answer?.keyState },
    {
      policies: [
        { type: 'resource-based', policy: 'key policy' },
        { type: 'identity-based', policy: 'inline policy WithMfa of user alice' },
      ],
      resource: now.key.arn,
      keyState: 'Disabled',
    },
  )
})

test('without a principal it is asked for everybody, without an action for all that is about a key', async (t) => {
  const now = await scene(t)
  const may = (question: object): string[] =>
    simulate({ key: 'alias/payroll', ...question }, now.state)
      .filter(({ decision }: Simulation) => decision.allowed)
      .map(({ principal }) => principal)
  assert.deepEqual(may({ actions: ['kms:Decrypt'], mfaAge: 1, encryptionContext: [['team', 'payroll']] }), [
    rootArn,
    aliceArn,
    'arn:aws:sts::111122223333:assumed-role/deploy/simulation',
  ])
  assert.deepEqual(may({ actions: ['kms:Decrypt'] }), [
    rootArn,
    'arn:aws:sts::111122223333:assumed-role/deploy/simulation',
  ])
  assert.deepEqual(
    new Set(may({})),
    new Set([rootArn, 'arn:aws:sts::111122223333:assumed-role/deploy/simulation']),
  )
  assert.equal(simulate({ key: 'alias/payroll' }, now.state).length, 4 * keyActions.length)
  assert.equal(keyActions.length, 35)
})

test('whoever comes by an OpenID Connect provider is asked about by its ARN and what the token claims', async (t) => {
  const { state } = await scene(t)
  const attributes = { clientIds: ['a'], thumbprints: [], tags: new Map() }
  const { arn } = state.oidcProviders.create('issuer.example/x', attributes)
  const { arn: role } = state.roles.create(
    { roleName: 'pod', path: '/', tags: new Map() },
    {
      description: undefined,
      maxSessionSeconds: 3600,
      trust: {
        document: policyOf({
          Effect: 'Allow',
          Principal: { Federated: arn },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: { StringEquals: { 'issuer.example/x:sub': 'db' } },
        }),
        principalIds: new Map(),
      },
    },
  )
  const ask = (sub: string, more: object = {}) =>
    simulate(
      {
        ...{ principal: arn, actions: ['sts:AssumeRoleWithWebIdentity'], resource: role },
        ...{ conditionKeys: [['issuer.example/x:sub', sub]], ...more },
      },
      state,
    )[0]
  assert.deepEqual(ask('db')?.decision.allowed, true)
  assert.equal(ask('db')?.principal, arn)
  assert.equal(ask('web')?.decision.allowed, false)
  assert.equal(ask('db', { principal: aliceArn })?.decision.allowed, false)
  assert.equal(ask('db', { resource: deployArn })?.decision.allowed, false)
  assert.equal(ask('db', { actions: ['sts:AssumeRole'] })?.decision.allowed, false)
  assert.equal(ask('db', { actions: ['kms:ListKeys'], resource: undefined })?.decision.allowed, false)
  assert.throws(() => ask('db', { principal: `${arn}x` }), { code: 'SR_KMS_SIMULATION' })
})

test('every region has its own keys', async (t) => {
  const now = await scene(t)
  const question = { principal: rootArn, key: now.key.keyId, actions: ['kms:Decrypt'], region: 'eu-west-1' }
  assert.throws(() => simulate(question, now.state), {
    code: 'SR_KMS_SIMULATION',
    message: `cannot tell what is allowed: Key 'arn:aws:kms:eu-west-1:111122223333:key/${now.key.keyId}' does not exist`,
  })
})

test('says what it cannot answer', async (t) => {
  const { state } = await scene(t)
  const table: [question: unknown, message: RegExp][] = [
    [{ principal: `${aliceArn}x`, actions: ['kms:Decrypt'] }, /there is no user or role arn:.*alicex/],
    [
      { principal: 'arn:aws:sts::111122223333:assumed-role/nobody/x', actions: ['kms:Decrypt'] },
      /there is no user or role/,
    ],
    [
      { principal: 'arn:aws:sts::444455556666:assumed-role/deploy/x', actions: ['kms:Decrypt'] },
      /there is no user or role/,
    ],
    [
      { principal: aliceArn, actions: ['kms:Decrypt'], key: 'alias/none' },
      /Alias .*alias\/none is not found/,
    ],
    [
      { principal: aliceArn, actions: ['kms:Decrypt'], region: 'ap-south-1' },
      /the region ap-south-1 is not served/,
    ],
    [{ principal: aliceArn }, /neither an action nor a key is named/],
    [{ principal: aliceArn, key: 'alias/payroll', resource: deployArn }, /about a key or something else/],
    [
      { principal: aliceArn, actions: ['sts:AssumeRole'] },
      /sts:AssumeRole is about a role, which has to be named/,
    ],
    [{ key: 'alias/payroll', actions: ['kms:RetireGrant'] }, /who may retire a grant is what the grant says/],
    [{ principal: aliceArn, actions: ['Decrypt'] }, /actions/],
    [{ principal: aliceArn, actions: ['kms:*'] }, /actions/],
    [{ principle: aliceArn, actions: ['kms:Decrypt'] }, /principle/],
    [
      { principal: aliceArn, actions: ['kms:Decrypt'], conditionKeys: [['kms:Nothing', 'x']] },
      /there is no condition key kms:Nothing/,
    ],
    [
      { principal: deployArn, actions: ['kms:Decrypt'], sessionPolicy: '{' },
      /the session policy: the policy is not JSON/,
    ],
    [{ principal: aliceArn, actions: ['kms:Decrypt'], at: 'tomorrow' }, /at/],
    [null, /object/],
  ]
  for (const [question, message] of table) {
    assert.throws(
      () => simulate(question, state),
      { code: 'SR_KMS_SIMULATION', message },
      JSON.stringify(question),
    )
  }
  assert.equal(table.length, 16)
})

test('the time, the transport and the client can be others', async (t) => {
  const { state } = await scene(t)
  const policy = (Condition: object): string =>
    policyOf({ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*', Condition })
  const allowed = (Condition: object, question: object): boolean | undefined => {
    const key = state.keys.create({ description: '', policy: policy(Condition) })
    return simulate({ principal: aliceArn, key: key.keyId, actions: ['kms:Decrypt'], ...question }, state)[0]
      ?.decision.allowed
  }
  const before2030 = { DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } }
  assert.equal(allowed(before2030, { at: '2029-12-31T23:59:59Z' }), true)
  assert.equal(allowed(before2030, { at: '2029-12-31T23:59:59-01:00' }), false)
  assert.equal(allowed({ Bool: { 'aws:SecureTransport': 'true' } }, {}), true)
  assert.equal(allowed({ Bool: { 'aws:SecureTransport': 'true' } }, { secureTransport: false }), false)
  assert.equal(allowed({ StringLike: { 'aws:UserAgent': 'aws-cli/*' } }, { userAgent: 'aws-cli/2' }), true)
  assert.equal(allowed({ StringLike: { 'aws:UserAgent': 'aws-cli/*' } }, {}), false)
  assert.equal(allowed({ StringEquals: { 'kms:RequestAlias': 'alias/x' } }, {}), false)
})

test('is served at the admin socket', async (t) => {
  const { state } = await scene(t)
  const answer = simulationHandlers(state)['/simulate']?.({ principal: rootArn, actions: ['kms:CreateKey'] })
  assert.ok(Array.isArray(answer) && answer.length === 1)
})
