import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  }
  for (const [what, text] of Object.entries(refused)) {
    assert.throws(
      () => parseKeyPolicy(text),
      (error) => error instanceof AwsException && error.exceptionName === 'MalformedPolicyDocumentException',
      what,
    )
    assert.deepEqual(parseStoredKeyPolicy(text).statements, [], what)
  }
  assert.equal(Object.keys(refused).length, 29)
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
  ]
  for (const [pattern, text, matches] of table) assert.equal(matchesPattern(pattern, text), matches, pattern)
  // A regular expression would need years for this one.
  assert.equal(matchesPattern('*a'.repeat(50) + 'b', 'a'.repeat(5000)), false)
})
