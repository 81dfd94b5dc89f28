import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOf, kmsState } from '../../../test/support/kms-state.ts'
import { alice, nightly, plainSession, root } from '../../../test/support/principals.ts'
import type { State } from '../operations/call.ts'
import type { Principal } from '../principal.ts'
import type { Permission } from './permission.ts'
import { requestContext } from './request-context.ts'

const policy = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' },
})

interface Asked {
  readonly principal: Principal
  readonly permission: Permission
  readonly state: State
}

function values({ principal, permission, state }: Asked, key: string): readonly string[] | undefined {
  return requestContext(permission, callOf(principal, state)).get(key)
}

const mfaUser: Principal = {
  ...alice,
  session: { ...plainSession, mfaAuthenticatedAt: new Date('2030-01-01T00:00:30.500Z') },
}
const taggedRole: Principal = {
  ...nightly,
  tags: new Map([
    ['Team', 'payroll'],
    ['Cost', 'a'],
  ]),
  session: { ...plainSession, sourceIdentity: 'alice' },
}

test('what every request tells, and what depends on who asks', async (t) => {
  const state = await kmsState(t)
  const principals = [root, alice, mfaUser, taggedRole]
  const table: Record<string, (string | undefined)[]> = {
    'aws:currenttime': Array<string>(4).fill('2030-01-01T00:01:00.000Z'),
    'aws:epochtime': Array<string>(4).fill('1893456060'),
    'aws:sourceip': Array<string>(4).fill('203.0.113.7'),
    'aws:securetransport': Array<string>(4).fill('true'),
    'aws:useragent': Array<string>(4).fill('test/1'),
    'aws:principalaccount': Array<string>(4).fill('111122223333'),
    'aws:resourceaccount': Array<string>(4).fill('111122223333'),
    'aws:requestedregion': Array<string>(4).fill('us-east-1'),
    'aws:viaawsservice': Array<string>(4).fill('false'),
    'aws:principalisawsservice': Array<string>(4).fill('false'),
    'kms:calleraccount': Array<string>(4).fill('111122223333'),
    'kms:viaservice': [undefined, undefined, undefined, undefined],
    'aws:principaltype': ['Account', 'User', 'User', 'AssumedRole'],
    'aws:principalarn': [
      'arn:aws:iam::111122223333:root',
      'arn:aws:iam::111122223333:user/alice',
      'arn:aws:iam::111122223333:user/alice',
      'arn:aws:iam::111122223333:role/deploy',
    ],
    'aws:userid': ['111122223333', 'AIDAALICE', 'AIDAALICE', 'AROADEPLOY:nightly'],
    'aws:username': [undefined, 'alice', 'alice', undefined],
    'aws:multifactorauthpresent': [undefined, undefined, 'true', 'false'],
    'aws:multifactorauthage': [undefined, undefined, '29', undefined],
    'aws:tokenissuetime': [undefined, undefined, '2030-01-01T00:00:00.000Z', '2030-01-01T00:00:00.000Z'],
    'aws:sourceidentity': [undefined, undefined, undefined, 'alice'],
    'aws:principaltag/team': [undefined, undefined, undefined, 'payroll'],
    'aws:principaltag/none': [undefined, undefined, undefined, undefined],
    constructor: [undefined, undefined, undefined, undefined],
  }
  for (const [key, expected] of Object.entries(table)) {
    const given = principals.map((principal) =>
      values({ principal, permission: { action: 'kms:ListKeys' }, state }, key),
    )
    assert.deepEqual(
      given,
      expected.map((one) => (one === undefined ? undefined : [one])),
      key,
    )
  }
  assert.equal(Object.keys(table).length, 23)
})

test('an MFA code of the future is of now: the clock was set back since', async (t) => {
  const state = await kmsState(t)
  const session = { ...plainSession, mfaAuthenticatedAt: new Date('2030-01-01T00:01:05Z') }
  const asked = { principal: { ...alice, session }, permission: { action: 'kms:ListKeys' }, state }
  assert.deepEqual(values(asked, 'aws:multifactorauthage'), ['0'])
})

test('what a key tells', async (t) => {
  const state = await kmsState(t)
  const key = state.keys.create({
    description: '',
    policy,
    multiRegion: true,
    tags: new Map([
      ['Stage', 'prod'],
      ['dup', '1'],
      ['DUP', '2'],
    ]),
  })
  state.aliases.create('alias/a', key.keyId)
  state.aliases.create('alias/b', key.keyId)
  const table: Record<string, string[] | undefined> = {
    'kms:keyspec': ['SYMMETRIC_DEFAULT'],
    'kms:keyusage': ['ENCRYPT_DECRYPT'],
    'kms:customermasterkeyspec': ['SYMMETRIC_DEFAULT'],
    'kms:customermasterkeyusage': ['ENCRYPT_DECRYPT'],
    'kms:keyorigin': ['AWS_KMS'],
    'kms:multiregion': ['true'],
    'kms:multiregionkeytype': ['PRIMARY'],
    'kms:resourcealiases': ['alias/a', 'alias/b'],
    'aws:resourcetag/stage': ['prod'],
    'aws:resourcetag/dup': ['1', '2'],
  }
  for (const [name, expected] of Object.entries(table)) {
    assert.deepEqual(
      values({ principal: alice, permission: { action: 'kms:Decrypt', key }, state }, name),
      expected,
      name,
    )
    const withoutKey = { principal: alice, permission: { action: 'kms:ListKeys' }, state }
    assert.equal(values(withoutKey, name), undefined, name)
  }
  assert.equal(Object.keys(table).length, 10)
  const plain = state.keys.create({ description: '', policy })
  const ofPlain = (name: string) =>
    values({ principal: alice, permission: { action: 'kms:Decrypt', key: plain }, state }, name)
  assert.deepEqual(ofPlain('kms:multiregion'), ['false'])
  assert.equal(ofPlain('kms:multiregionkeytype'), undefined)
  assert.equal(ofPlain('kms:resourcealiases'), undefined)
})

test('what an operation tells', async (t) => {
  const state = await kmsState(t)
  const permission: Permission = {
    action: 'kms:Encrypt',
    encryptionContext: new Map([
      ['App', 'payroll'],
      ['x', '1'],
      ['X', '2'],
    ]),
    encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    requestAlias: 'alias/a',
    bypassesLockoutCheck: true,
    conditionKeys: new Map([
      ['kms:granteeprincipal', ['arn']],
      // An operation knows better.
      ['aws:multifactorauthpresent', ['true']],
    ]),
  }
  const table: Record<string, string[] | undefined> = {
    'kms:encryptioncontext:app': ['payroll'],
    'kms:encryptioncontext:x': ['1', '2'],
    'kms:encryptioncontext:none': undefined,
    'kms:encryptioncontextkeys': ['App', 'x', 'X'],
    'kms:encryptionalgorithm': ['SYMMETRIC_DEFAULT'],
    'kms:requestalias': ['alias/a'],
    'kms:bypasspolicylockoutsafetycheck': ['true'],
    'kms:granteeprincipal': ['arn'],
    'aws:multifactorauthpresent': ['true'],
    'sts:externalid': undefined,
  }
  for (const [name, expected] of Object.entries(table)) {
    assert.deepEqual(values({ principal: alice, permission, state }, name), expected, name)
  }
  const empty = {
    principal: alice,
    permission: { action: 'iam:GetUser', encryptionContext: new Map() },
    state,
  }
  assert.equal(values(empty, 'kms:encryptioncontextkeys'), undefined)
  assert.equal(values(empty, 'kms:calleraccount'), undefined)
  assert.equal(values(empty, 'kms:requestalias'), undefined)
})
