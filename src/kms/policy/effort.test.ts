import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alice, rootArn, testKeyArn } from '../../../test/support/principals.ts'
import type { ConditionContext } from './conditions.ts'
import { type NamedPolicy, parseIdentityPolicy, parseKeyPolicy } from './document.ts'
import { type Decision, evaluate } from './evaluate.ts'

/* As many identity policies as IAM allows a user: 10 attached and 10 of each of 10 groups, 6,144 characters each. */
const policyCount = 110
const policySize = 6144

const delegation: NamedPolicy = {
  source: 'key policy',
  document: parseKeyPolicy(
    JSON.stringify({
      Statement: { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' },
    }),
  ),
}

/** A policy of so many statements that do not fit, and one that allows. */
function identityPolicy(statement: object, count: number): NamedPolicy {
  const allow = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: [...Array<object>(count).fill(statement), allow],
  })
  assert.ok(text.length <= policySize, `${text.length}`)
  return { source: 'P', document: parseIdentityPolicy(text) }
}

/** What comes of the policies, and how long it takes at best, in milliseconds. */
function timed(
  policies: readonly NamedPolicy[],
  context: ConditionContext,
): { decision: Decision; time: number } {
  const decide = (): Decision =>
    evaluate(
      {
        principal: alice,
        action: 'kms:Decrypt',
        resource: testKeyArn,
        context,
        encryptionContext: undefined,
        newGrant: undefined,
      },
      { resourcePolicy: delegation, identityPolicies: policies, sessionPolicies: undefined, grants: [] },
    )
  let time = Infinity
  for (let n = 0; n < 3; n++) {
    const start = performance.now()
    decide()
    time = Math.min(time, performance.now() - start)
  }
  return { decision: decide(), time }
}

const long = 'a'.repeat(8192)
const contextOf = (value: string): ConditionContext =>
  new Map([
    ['kms:encryptioncontext:a', [value]],
    ['kms:encryptioncontext:b', [value]],
    ['kms:encryptioncontextkeys', Array.from({ length: 2000 }, (_, n) => String(n))],
    ['aws:useragent', [`b${value.slice(1)}`]],
  ])

const deny = (Condition: object): object => ({ Effect: 'Deny', Action: '*', Resource: '*', Condition })

test('as many policies as a user may have, as people write them, are evaluated in full', () => {
  const statement = {
    Effect: 'Deny',
    Action: ['kms:Encrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*', 'iam:*AccessKey*'],
    Resource: ['arn:aws:kms:*:111122223333:key/*', 'arn:aws:iam::111122223333:user/${aws:username}'],
    Condition: { StringLike: { 'kms:EncryptionContext:a': ['team-*', '*-payroll-*'] } },
  }
  const { decision } = timed(
    Array<NamedPolicy>(policyCount).fill(identityPolicy(statement, 16)),
    contextOf(long),
  )
  assert.equal(decision.allowed, true)
})

test('policies made to be slow are stopped, and the request is refused', () => {
  const table: Record<string, object> = {
    'wildcards in long values': deny({ StringLike: { 'kms:EncryptionContext:a': `*${'a'.repeat(1000)}b*` } }),
    'question marks in long values': deny({
      StringLike: { 'kms:EncryptionContext:a': `*?${'a'.repeat(250)}b*` },
    }),
    'many wildcards': deny({ StringLike: { 'kms:EncryptionContext:a': Array<string>(200).fill('*aab*') } }),
    'text of any case': deny({
      StringEqualsIgnoreCase: { 'kms:EncryptionContext:a': Array<string>(300).fill('${aws:UserAgent}') },
    }),
    'long variables': deny({
      StringEqualsIgnoreCase: { 'kms:EncryptionContext:a': '${kms:EncryptionContext:b}'.repeat(200) },
    }),
    'a long value in a long value': deny({
      StringLike: { 'kms:EncryptionContext:a': '*${kms:EncryptionContext:b}x*' },
    }),
    'each key of a context': deny({
      'ForAnyValue:StringLike': {
        'kms:EncryptionContextKeys': Array.from({ length: 60 }, (_, n) => `*${n}b`),
      },
    }),
    bytes: deny({ BinaryEquals: { 'kms:EncryptionContext:a': Array<string>(500).fill('YQ==') } }),
    addresses: deny({
      'ForAnyValue:IpAddress': { 'kms:EncryptionContextKeys': Array<string>(60).fill('10.0.0.0/8') },
    }),
  }
  for (const [what, statement] of Object.entries(table)) {
    const policies = Array<NamedPolicy>(policyCount).fill(identityPolicy(statement, 1))
    const { decision, time } = timed(policies, contextOf(long))
    assert.deepEqual(decision, { allowed: false, because: 'too much effort' }, what)
    assert.ok(time < 1000, `${what} takes ${time} ms`)
  }
  assert.equal(Object.keys(table).length, 9)
})

test('policies made to be slow to read are read, or refused, in no time', () => {
  const size = 128 * 1024
  const texts = [
    '${'.repeat(size / 2),
    '${a'.repeat(size / 3),
    `arn:${'${a:'.repeat(size / 4)}`,
    '*?'.repeat(size / 2),
    ':'.repeat(size),
    "${aws:username, '".repeat(size / 17),
  ]
  let accepted = 0
  for (const text of texts) {
    for (const more of [{ Resource: text }, { Condition: { ArnLike: { 'aws:PrincipalArn': text } } }]) {
      const statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', ...more }
      const start = performance.now()
      if (canBeRead(JSON.stringify({ Version: '2012-10-17', Statement: statement }))) accepted++
      const time = performance.now() - start
      assert.ok(time < 1000, `${text.slice(0, 20)} takes ${time} ms`)
    }
  }
  assert.equal(texts.length, 6)
  // Wildcards alone as a resource, and six empty components as an ARN.
  assert.equal(accepted, 2)
})

function canBeRead(text: string): boolean {
  try {
    return parseIdentityPolicy(text).statements.length > 0
  } catch {
    return false
  }
}
