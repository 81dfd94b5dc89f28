import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AwsException } from '../protocol/exceptions.ts'
import {
  defaultKeyPolicy,
  namedPrincipals,
  parseIdentityPolicy,
  parseKeyPolicy,
  parseSessionPolicy,
  parseStoredKeyPolicy,
  parseStoredPolicy,
  parseTrustPolicy,
} from './document.ts'

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
    'a service that is none': document({ ...good, Principal: { Service: 'root' } }),
    'an identity provider': document({ ...good, Principal: { Federated: 'accounts.google.com' } }),
    'a canonical user': document({
      ...good,
      Principal: { CanonicalUser: '79a59df900b949e55d96a1e698fbaced' },
    }),
    'an empty principal': document({ ...good, Principal: {} }),
    'an empty list of principals': document({ ...good, Principal: { AWS: [] } }),
    'a wildcard in a principal': document({
      ...good,
      Principal: { AWS: 'arn:aws:iam::111122223333:user/*' },
    }),
    'a unique id as principal': document({ ...good, Principal: { AWS: 'AIDACKCEVSQ6C2EXAMPLE' } }),
    'a group as principal': document({ ...good, Principal: { AWS: 'arn:aws:iam::111122223333:group/g' } }),
    'a variable as principal': document({
      ...good,
      Principal: { AWS: 'arn:aws:iam::111122223333:user/${aws:username}' },
    }),
    'two statements of one name': JSON.stringify({
      Statement: [
        { ...good, Sid: 'a' },
        { ...good, Sid: 'a' },
      ],
    }),
    'a resource that is no ARN': document({ ...good, Resource: 'key/x' }),
    'a variable early in an ARN': document({
      ...good,
      Resource: 'arn:aws:kms:${aws:PrincipalTag/r}:*:key/x',
    }),
    'each of several for a pair of the encryption context': document({
      ...good,
      Condition: { 'ForAllValues:StringEquals': { 'kms:EncryptionContext:a': 'b' } },
    }),
    'no action': document({ ...good, Action: undefined }),
    'Action and NotAction': document({ ...good, NotAction: 'kms:Encrypt' }),
    'an action of another service': document({ ...good, Action: 's3:GetObject' }),
    'an empty list of actions': document({ ...good, Action: [] }),
    'no resource': document({ ...good, Resource: undefined }),
    'an unknown policy variable': document({ ...good, Resource: 'arn:aws:kms:::key/${aws:nothing}' }),
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
  }
  assert.equal(Object.keys(refused).length, 52)
})

test('names accounts, users, roles and sessions, not services', () => {
  const principals = [
    '111122223333',
    'arn:aws:iam::111122223333:user/division/alice',
    'arn:aws:iam::111122223333:role/deploy',
    'arn:aws:sts::111122223333:assumed-role/deploy/nightly',
  ]
  const policy = document({
    ...good,
    Principal: { AWS: principals, Service: ['logs.us-east-1.amazonaws.com'] },
  })
  assert.deepEqual(namedPrincipals(parseKeyPolicy(policy)), [
    'arn:aws:iam::111122223333:root',
    ...principals.slice(1),
  ])
})

const identityStatement = { Effect: 'Allow', Action: ['kms:*', 'iam:Get*', 'sts:AssumeRole'], Resource: '*' }
const trustStatement = { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' }

test('identity and session policies name actions of all services here, and nobody', () => {
  const refused: Record<string, object> = {
    'a principal': { ...identityStatement, Principal: '*' },
    NotPrincipal: { ...identityStatement, NotPrincipal: '*' },
    'no resource': { ...identityStatement, Resource: undefined },
    'Resource and NotResource': { ...identityStatement, NotResource: '*' },
    'an action of another service': { ...identityStatement, Action: 's3:GetObject' },
    'an action without service': { ...identityStatement, Action: 'Decrypt' },
    'a wildcard for the service': { ...identityStatement, Action: 'k*:Decrypt' },
    'a Sid with spaces': { ...identityStatement, Sid: 'my statement' },
    'an unknown operator': { ...identityStatement, Condition: { StringMaybe: { 'aws:username': 'a' } } },
    'a resource that is no ARN': { ...identityStatement, NotResource: 'alice', Resource: undefined },
  }
  for (const parse of [parseIdentityPolicy, parseSessionPolicy]) {
    assert.equal(parse(document(identityStatement)).statements.length, 1)
    for (const [what, statement] of Object.entries(refused)) {
      assert.throws(
        () => parse(document(statement)),
        { exceptionName: 'MalformedPolicyDocumentException' },
        what,
      )
    }
  }
  assert.equal(Object.keys(refused).length, 10)
  const own = { ...identityStatement, Resource: 'arn:aws:iam::111122223333:user/${aws:username}' }
  assert.equal(parseIdentityPolicy(document(own)).statements.length, 1)
})

test('trust policies are about assuming the role', () => {
  const refused: Record<string, object> = {
    'no principal': { ...trustStatement, Principal: undefined },
    'an identity provider': { ...trustStatement, Principal: { Federated: 'cognito-identity.amazonaws.com' } },
    'a resource': { ...trustStatement, Resource: '*' },
    NotResource: { ...trustStatement, NotResource: '*' },
    'an action of STS that is not about roles': { ...trustStatement, Action: 'sts:GetSessionToken' },
    'an action of another service': { ...trustStatement, Action: 'kms:Decrypt' },
    'all actions': { ...trustStatement, Action: '*' },
  }
  for (const Action of [
    'sts:AssumeRole',
    'sts:TagSession',
    'STS:setsourceidentity',
    'sts:*',
    'sts:Assume*',
  ]) {
    assert.equal(parseTrustPolicy(document({ ...trustStatement, Action })).statements.length, 1, Action)
  }
  for (const [what, statement] of Object.entries(refused)) {
    assert.throws(
      () => parseTrustPolicy(document(statement)),
      {
        exceptionName: 'MalformedPolicyDocumentException',
      },
      what,
    )
  }
  assert.equal(Object.keys(refused).length, 7)
})

test('a stored policy that cannot be read denies everything to everybody it is about', () => {
  for (const kind of ['key', 'identity', 'trust', 'session'] as const) {
    const told: string[] = []
    const unreadable = document({ ...good, Condition: { StringMaybe: { 'aws:username': 'a' } } })
    const { statements } = parseStoredPolicy(kind, unreadable, (why) => told.push(why))
    assert.equal(statements.length, 1, kind)
    assert.deepEqual(
      { name: statements[0]?.name, effect: statements[0]?.effect, conditions: statements[0]?.conditions },
      { name: 'the stored policy cannot be read', effect: 'Deny', conditions: [] },
      kind,
    )
    assert.equal(told.length, 1, kind)
  }
  const told: string[] = []
  parseStoredKeyPolicy('{', (why) => told.push(why))
  assert.deepEqual(told, ['the policy is not JSON'])
})

test('what is refused as a mistake only is read where it is stored already', () => {
  const statement = { ...good, Sid: 'a', Resource: 'key/x' }
  const stored = JSON.stringify({ Statement: [statement, statement] })
  const told: string[] = []
  assert.equal(parseStoredKeyPolicy(stored, (why) => told.push(why)).statements.length, 2)
  assert.deepEqual(told, [])
})
