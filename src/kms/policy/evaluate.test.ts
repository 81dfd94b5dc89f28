import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Principal } from '../principal.ts'
import type { ConditionContext } from './conditions.ts'
import { parseKeyPolicy, type PolicyDocument } from './document.ts'
import { evaluate } from './evaluate.ts'

const accountId = '111122223333'
const rootArn = `arn:aws:iam::${accountId}:root`
const aliceArn = `arn:aws:iam::${accountId}:user/alice`
const keyArn = `arn:aws:kms:us-east-1:${accountId}:key/00112233-4455-6677-8899-aabbccddeeff`
const root: Principal = { type: 'Root', accountId, arn: rootArn, principalId: accountId, accessKeyId: 'A' }
const alice: Principal = {
  type: 'IAMUser',
  accountId,
  arn: aliceArn,
  principalId: 'AIDA1',
  userName: 'alice',
  accessKeyId: 'B',
}

type Outcome = 'allowed' | 'explicit deny' | 'no resource policy' | 'no identity policy'
type Context = Record<string, string[]>

function policyOf(...statements: object[]): PolicyDocument {
  return parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }))
}

function allow(principal: unknown, more: object = {}): object {
  return { Effect: 'Allow', Principal: principal, Action: 'kms:Decrypt', Resource: '*', ...more }
}

function deny(principal: unknown, more: object = {}): object {
  return { ...allow(principal, more), Effect: 'Deny' }
}

function ask(
  principal: Principal,
  policy: PolicyDocument | undefined,
  options: { action?: string; context?: Context; identity?: PolicyDocument } = {},
): Outcome {
  const context: ConditionContext = new Map(Object.entries(options.context ?? {}))
  const decision = evaluate(
    {
      principal,
      action: options.action ?? 'kms:Decrypt',
      resource: policy === undefined ? '*' : keyArn,
      context: () => context,
    },
    { keyPolicy: policy, identityPolicies: options.identity === undefined ? [] : [options.identity] },
  )
  return decision.allowed ? 'allowed' : decision.because
}

describe('evaluate', () => {
  test('principals', () => {
    const table: [object[], root: Outcome, alice: Outcome][] = [
      [[allow('*')], 'allowed', 'allowed'],
      [[allow({ AWS: '*' })], 'allowed', 'allowed'],
      [[allow({ AWS: rootArn })], 'allowed', 'no identity policy'],
      [[allow({ AWS: accountId })], 'allowed', 'no identity policy'],
      [[allow({ AWS: aliceArn })], 'no resource policy', 'allowed'],
      [[allow({ AWS: [rootArn, aliceArn] })], 'allowed', 'allowed'],
      [[allow({ AWS: `${aliceArn}x` })], 'no resource policy', 'no resource policy'],
      [[allow('*'), deny({ AWS: aliceArn })], 'allowed', 'explicit deny'],
      [[allow('*'), deny({ AWS: rootArn })], 'explicit deny', 'explicit deny'],
      [[allow('*'), deny('*')], 'explicit deny', 'explicit deny'],
    ]
    for (const [statements, ofRoot, ofAlice] of table) {
      const policy = policyOf(...statements)
      assert.equal(ask(root, policy), ofRoot, JSON.stringify(statements))
      assert.equal(ask(alice, policy), ofAlice, JSON.stringify(statements))
    }
    assert.equal(table.length, 10)
  })

  test('what concerns the account is for its root user, and for users with an identity policy', () => {
    assert.equal(ask(root, undefined), 'allowed')
    assert.equal(ask(alice, undefined), 'no identity policy')
    const identity: PolicyDocument = {
      statements: policyOf(allow('*')).statements.map((one) => ({ ...one, principals: undefined })),
    }
    assert.equal(ask(alice, undefined, { identity }), 'allowed')
    assert.equal(ask(alice, policyOf(allow({ AWS: rootArn })), { identity }), 'allowed')
    assert.equal(ask(alice, policyOf(allow({ AWS: `${aliceArn}x` })), { identity }), 'no resource policy')
  })

  test('actions and resources', () => {
    const table: [object, Outcome][] = [
      [{ Action: 'kms:decrypt' }, 'allowed'],
      [{ Action: 'kms:*' }, 'allowed'],
      [{ Action: '*' }, 'allowed'],
      [{ Action: 'kms:De*' }, 'allowed'],
      [{ Action: 'kms:Decryp?' }, 'allowed'],
      [{ Action: ['kms:Encrypt', 'kms:Decrypt'] }, 'allowed'],
      [{ Action: 'kms:Encrypt' }, 'no resource policy'],
      [{ Action: 'kms:Decryp' }, 'no resource policy'],
      [{ Action: undefined, NotAction: 'kms:Encrypt' }, 'allowed'],
      [{ Action: undefined, NotAction: 'kms:De*' }, 'no resource policy'],
      [{ Resource: keyArn }, 'allowed'],
      [{ Resource: 'arn:aws:kms:*:*:key/*' }, 'allowed'],
      [{ Resource: `${keyArn}0` }, 'no resource policy'],
      [{ Resource: undefined, NotResource: keyArn }, 'no resource policy'],
    ]
    for (const [more, outcome] of table) {
      assert.equal(ask(alice, policyOf(allow('*', more))), outcome, JSON.stringify(more))
    }
    assert.equal(table.length, 14)
  })

  test('conditions', () => {
    const dept = 'kms:EncryptionContext:Dept'
    const it = { 'kms:encryptioncontext:dept': ['IT'] }
    const keys = (...names: string[]): Context => ({ 'kms:encryptioncontextkeys': names })
    const table: [condition: object, context: Context, met: boolean][] = [
      [{ StringEquals: { [dept]: 'IT' } }, it, true],
      [{ StringEquals: { [dept]: ['HR', 'IT'] } }, it, true],
      [{ StringEquals: { [dept]: 'it' } }, it, false],
      [{ StringEquals: { [dept]: 'IT' } }, {}, false],
      [{ StringEqualsIfExists: { [dept]: 'IT' } }, {}, true],
      [{ StringEqualsIfExists: { [dept]: 'IT' } }, { 'kms:encryptioncontext:dept': ['HR'] }, false],
      [{ StringNotEquals: { [dept]: 'HR' } }, it, true],
      [{ StringNotEquals: { [dept]: ['HR', 'IT'] } }, it, false],
      [{ StringNotEquals: { [dept]: 'HR' } }, {}, true],
      [{ StringEqualsIgnoreCase: { [dept]: 'it' } }, it, true],
      [{ StringNotEqualsIgnoreCase: { [dept]: 'it' } }, it, false],
      [{ StringLike: { [dept]: 'I*' } }, it, true],
      [{ StringNotLike: { [dept]: 'I?' } }, it, false],
      [{ StringEquals: { [dept]: 'I*' } }, it, false],
      [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a', 'b'] } }, keys('a', 'b'), true],
      [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a', 'b'] } }, keys('a', 'c'), false],
      [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, {}, true],
      [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('a', 'c'), true],
      [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('c'), false],
      [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, {}, false],
      [{ Null: { [dept]: 'true' } }, {}, true],
      [{ Null: { [dept]: false } }, {}, false],
      [{ Null: { [dept]: 'false' } }, it, true],
      [{ Bool: { 'aws:SecureTransport': 'false' } }, { 'aws:securetransport': ['false'] }, true],
      [{ Bool: { 'aws:SecureTransport': true } }, { 'aws:securetransport': ['false'] }, false],
      [{ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }, {}, false],
      [
        { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::*:user/a*` } },
        { 'aws:principalarn': [aliceArn] },
        true,
      ],
      [{ ArnEquals: { 'aws:PrincipalArn': rootArn } }, { 'aws:principalarn': [aliceArn] }, false],
      [{ ArnNotEquals: { 'aws:PrincipalArn': rootArn } }, { 'aws:principalarn': [aliceArn] }, true],
      [{ NumericLessThan: { 'aws:EpochTime': 10 } }, { 'aws:epochtime': ['9'] }, true],
      [{ NumericGreaterThanEquals: { 'aws:EpochTime': '10' } }, { 'aws:epochtime': ['9'] }, false],
      [{ NumericNotEquals: { 'aws:EpochTime': '10' } }, { 'aws:epochtime': ['9'] }, true],
      [
        { DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } },
        { 'aws:currenttime': ['2029-12-31T23:59:59Z'] },
        true,
      ],
      [
        { DateGreaterThan: { 'aws:CurrentTime': '2030-01-01' } },
        { 'aws:currenttime': ['2029-12-31'] },
        false,
      ],
      [{ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, { 'aws:sourceip': ['127.0.0.1'] }, true],
      [{ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '::1'] } }, { 'aws:sourceip': ['::1'] }, true],
      [{ NotIpAddress: { 'aws:SourceIp': '127.0.0.1' } }, { 'aws:sourceip': ['127.0.0.1'] }, false],
      [{ IpAddress: { 'aws:SourceIp': '127.0.0.1' } }, { 'aws:sourceip': ['127.0.0.2'] }, false],
      [{ StringEquals: { [dept]: 'IT', 'aws:username': 'alice' } }, it, false],
      [{ StringEquals: { [dept]: 'IT' }, Null: { 'aws:username': 'true' } }, it, true],
    ]
    for (const [condition, context, met] of table) {
      const what = JSON.stringify([condition, context])
      const allowing = policyOf(allow('*', { Condition: condition }))
      assert.equal(ask(alice, allowing, { context }), met ? 'allowed' : 'no resource policy', what)
      const denying = policyOf(allow('*'), deny('*', { Condition: condition }))
      assert.equal(ask(alice, denying, { context }), met ? 'explicit deny' : 'allowed', what)
    }
    assert.equal(table.length, 40)
  })

  test('a condition that cannot be judged neither allows nor keeps a Deny from denying', () => {
    const context = { 'kms:encryptioncontext:dept': ['IT', 'HR'] }
    for (const wanted of ['IT', 'XX']) {
      const Condition = { StringEquals: { 'kms:EncryptionContext:dept': wanted } }
      assert.equal(ask(alice, policyOf(allow('*', { Condition })), { context }), 'no resource policy')
      assert.equal(ask(alice, policyOf(allow('*'), deny('*', { Condition })), { context }), 'explicit deny')
    }
  })
})
