import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AwsException } from '../protocol/exceptions.ts'
import { defaultKeyPolicy, namedPrincipals, parseKeyPolicy, parseStoredKeyPolicy } from './document.ts'
import { matchesPattern } from './pattern.ts'

const good = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }
const document = (statement: object, more: object = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [statement], ...more })

test('reads the default policy, and a single statement without a list', () => {
  const root = 'arn:aws:iam::111122223333:root'
  assert.deepEqual(namedPrincipals(parseKeyPolicy(defaultKeyPolicy(root))), [root])
  assert.equal(parseKeyPolicy(JSON.stringify({ Statement: good })).statements.length, 1)
})

test('refuses what it could not obey', () => {
  const refused: Record<string, string> = {
    'not JSON': '{',
    'a list': '[]',
    'no statement': '{"Version":"2012-10-17","Statement":[]}',
    'another version': document(good, { Version: '2020-01-01' }),
    'an unknown member': document({ ...good, Efect: 'Deny' }),
    'an unknown member outside': document(good, { Statment: [] }),
    'no effect': document({ ...good, Effect: undefined }),
    'no principal': document({ ...good, Principal: undefined }),
    NotPrincipal: document({ ...good, Principal: undefined, NotPrincipal: { AWS: '*' } }),
    'a service as principal': document({ ...good, Principal: { Service: 'x.amazonaws.com' } }),
    'no action': document({ ...good, Action: undefined }),
    'Action and NotAction': document({ ...good, NotAction: 'kms:Encrypt' }),
    'an action of another service': document({ ...good, Action: 's3:GetObject' }),
    'an empty list of actions': document({ ...good, Action: [] }),
    'no resource': document({ ...good, Resource: undefined }),
    'a policy variable': document({ ...good, Resource: '${aws:username}' }),
    'an unknown operator': document({ ...good, Condition: { StringMaybe: { 'aws:username': 'a' } } }),
    'an operator without opposite': document({
      ...good,
      Condition: { NumericNotLessThan: { 'aws:EpochTime': 1 } },
    }),
    BoolIfExistsIfExists: document({
      ...good,
      Condition: { BoolIfExistsIfExists: { 'aws:SecureTransport': 'true' } },
    }),
    'an inherited name as operator': document({ ...good, Condition: { toString: { 'aws:username': 'a' } } }),
    'an unknown key': document({ ...good, Condition: { StringEquals: { 'aws:Nothing': 'a' } } }),
    'an encryption context key without name': document({
      ...good,
      Condition: { StringEquals: { 'kms:EncryptionContext:': 'a' } },
    }),
    'a value that is no number': document({
      ...good,
      Condition: { NumericEquals: { 'aws:EpochTime': 'x' } },
    }),
    'a value that is no date': document({ ...good, Condition: { DateEquals: { 'aws:CurrentTime': 'x' } } }),
    'a value that is no network': document({
      ...good,
      Condition: { IpAddress: { 'aws:SourceIp': '1.2.3.4/33' } },
    }),
    'a value that is no boolean': document({
      ...good,
      Condition: { Bool: { 'aws:SecureTransport': 'yes' } },
    }),
    'a value that is no ARN': document({ ...good, Condition: { ArnLike: { 'aws:PrincipalArn': 'alice' } } }),
    'no values': document({ ...good, Condition: { StringEquals: { 'aws:username': [] } } }),
    'a condition that a schema would drop':
      '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"__proto__":{}}}]}',
    'two effects':
      '{"Statement":[{"Effect":"Deny","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}',
    'two effects, one escaped':
      '{"Statement":{"Effect":"Deny","Eff\\u0065ct":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}',
    'two conditions': document(good).replace(
      '"Action"',
      '"Condition":{"Null":{"aws:username":"true"}},"Condition":{},"Action"',
    ),
    'two statement lists': document(good).replace('"Statement"', '"Statement":[],"Statement"'),
    'too many condition values': document({
      ...good,
      Condition: { StringEquals: { 'aws:username': Array.from({ length: 513 }, String) } },
    }),
    'too many values for each of several': document({
      ...good,
      Condition: {
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': Array.from({ length: 65 }, String) },
      },
    }),
    'each of several as an address': document({
      ...good,
      Condition: { 'ForAllValues:IpAddress': { 'kms:EncryptionContextKeys': '127.0.0.1' } },
    }),
    'too many wildcards': document({
      ...good,
      Condition: { StringLike: { 'aws:username': ['*'.repeat(512), `${'a'.repeat(512)}*`] } },
    }),
    'too many question marks': document({
      ...good,
      Condition: { StringLike: { 'aws:username': `${'a'.repeat(256)}?` } },
    }),
    'a date without zone': document({
      ...good,
      Condition: { DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00' } },
    }),
    'a year alone': document({ ...good, Condition: { DateLessThan: { 'aws:CurrentTime': 2030 } } }),
    'one condition key twice': document({ ...good, Condition: { Null: { 'aws:username': 'true' } } }).replace(
      '{"aws:username":"true"}',
      '{"aws:username":"true","aws:username":"false"}',
    ),
  }
  for (const [what, text] of Object.entries(refused)) {
    assert.throws(
      () => parseKeyPolicy(text),
      (error) => error instanceof AwsException && error.exceptionName === 'MalformedPolicyDocumentException',
      what,
    )
    const told: string[] = []
    assert.deepEqual(parseStoredKeyPolicy(text, (why) => told.push(why)).statements, [], what)
    assert.equal(told.length, 1, what)
  }
  assert.equal(Object.keys(refused).length, 41)
})

test('wildcards match as a regular expression would', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b') })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?') })
  fc.assert(
    fc.property(pattern, text, (wanted, value) => {
      const expression = new RegExp(`^${wanted.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      assert.equal(matchesPattern(wanted, value), expression.test(value))
    }),
    { numRuns: 2000 },
  )
})

test('wildcards', () => {
  const table: [string, string, boolean][] = [
    ['', '', true],
    ['*', '', true],
    ['?', '', false],
    ['a*c', 'abbbc', true],
    ['a*c', 'abbbcd', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['a?c', 'a?c', true],
    ['*', 'a*b', true],
    ['a.c', 'abc', false],
    ['**', 'a', true],
    ['*ab', 'aab', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['*?b*', 'abb', true],
    ['*b?*d', 'abbcd', true],
    ['*?*', '', false],
    ['?*', 'é', true],
    ['a', 'ab', false],
  ]
  for (const [pattern, text, matches] of table) assert.equal(matchesPattern(pattern, text), matches, pattern)
  // A regular expression would need years for this one.
  assert.equal(matchesPattern('*a'.repeat(50) + 'b', 'a'.repeat(5000)), false)
})
