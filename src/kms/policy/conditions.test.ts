import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliceArn, rootArn } from '../../../test/support/principals.ts'
import { type ConditionContext, holds, parseConditions } from './conditions.ts'
import { Effort } from './effort.ts'

type Block = Record<string, Record<string, unknown>>
type Met = boolean | undefined

function context(given: Record<string, string[]>): ConditionContext {
  return new Map(Object.entries(given))
}

function met(block: Block, given: Record<string, string[]>): Met {
  const results = parseConditions(block, true).map((one) => holds(one, context(given), new Effort()))
  if (results.includes(false)) return false
  return results.includes(undefined) ? undefined : true
}

const dept = 'kms:EncryptionContext:Dept'
const it = { 'kms:encryptioncontext:dept': ['IT'] }
const keys = (...names: string[]): Record<string, string[]> => ({ 'kms:encryptioncontextkeys': names })
const user = (name: string): Record<string, string[]> => ({ 'aws:username': [name] })
const age = (value: string): Record<string, string[]> => ({ 'aws:multifactorauthage': [value] })
const at = (time: string): Record<string, string[]> => ({ 'aws:currenttime': [time] })
const from = (address: string): Record<string, string[]> => ({ 'aws:sourceip': [address] })
const by = (arn: string): Record<string, string[]> => ({ 'aws:principalarn': [arn] })

const table: [block: Block, given: Record<string, string[]>, met: Met][] = [
  // Text
  [{ StringEquals: { [dept]: 'IT' } }, it, true],
  [{ StringEquals: { 'KMS:encryptioncontext:DEPT': 'IT' } }, it, true],
  [{ StringEquals: { [dept]: ['HR', 'IT'] } }, it, true],
  [{ StringEquals: { [dept]: 'it' } }, it, false],
  [{ StringEquals: { [dept]: 'I*' } }, it, false],
  [{ StringEquals: { [dept]: '' } }, { 'kms:encryptioncontext:dept': [''] }, true],
  [{ StringEquals: { [dept]: '${aws:username}' } }, { ...it, ...user('IT') }, true],
  [{ StringEquals: { [dept]: '${aws:username}' } }, { ...it, ...user('HR') }, false],
  [{ StringEquals: { [dept]: '${aws:username}' } }, it, false],
  [{ StringNotEquals: { [dept]: '${aws:username}' } }, it, true],
  [{ StringNotEquals: { [dept]: 'HR' } }, it, true],
  [{ StringNotEquals: { [dept]: ['HR', 'IT'] } }, it, false],
  [{ StringEqualsIgnoreCase: { [dept]: 'it' } }, it, true],
  [{ StringEqualsIgnoreCase: { [dept]: '${aws:username}' } }, { ...it, ...user('iT') }, true],
  [{ StringEqualsIgnoreCase: { [dept]: 'hr' } }, it, false],
  [{ StringNotEqualsIgnoreCase: { [dept]: 'it' } }, it, false],
  [{ StringNotEqualsIgnoreCase: { [dept]: 'hr' } }, it, true],
  [{ StringLike: { [dept]: 'I*' } }, it, true],
  [{ StringLike: { [dept]: '?T' } }, it, true],
  [{ StringLike: { [dept]: '?' } }, it, false],
  [{ StringLike: { [dept]: '${aws:username}*' } }, { ...it, ...user('I') }, true],
  [{ StringLike: { [dept]: '${aws:username}' } }, { ...it, ...user('*') }, false],
  [{ StringNotLike: { [dept]: 'I?' } }, it, false],
  [{ StringNotLike: { [dept]: 'H*' } }, it, true],
  // A key that is not there
  [{ StringEquals: { [dept]: 'IT' } }, {}, false],
  [{ StringLike: { [dept]: '*' } }, {}, false],
  [{ StringNotEquals: { [dept]: 'HR' } }, {}, true],
  [{ StringNotLike: { [dept]: '*' } }, {}, true],
  [{ ArnNotLike: { 'aws:PrincipalArn': '*' } }, {}, true],
  [{ NumericNotEquals: { 'aws:MultiFactorAuthAge': 1 } }, {}, true],
  [{ NumericLessThan: { 'aws:MultiFactorAuthAge': 1 } }, {}, false],
  [{ DateNotEquals: { 'aws:TokenIssueTime': '2030-01-01' } }, {}, true],
  [{ DateLessThan: { 'aws:TokenIssueTime': '2030-01-01' } }, {}, false],
  [{ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, {}, true],
  [{ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }, {}, false],
  [{ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }, {}, false],
  [{ Bool: { 'aws:MultiFactorAuthPresent': 'false' } }, {}, false],
  [{ BinaryEquals: { [dept]: 'SVQ=' } }, {}, false],
  [{ StringEqualsIfExists: { [dept]: 'IT' } }, {}, true],
  [{ StringEqualsIfExists: { [dept]: 'IT' } }, { 'kms:encryptioncontext:dept': ['HR'] }, false],
  [{ StringNotEqualsIfExists: { [dept]: 'IT' } }, {}, true],
  [{ StringNotEqualsIfExists: { [dept]: 'IT' } }, it, false],
  [{ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } }, {}, true],
  [
    { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } },
    { 'aws:multifactorauthpresent': ['false'] },
    false,
  ],
  [{ NumericLessThanIfExists: { 'aws:MultiFactorAuthAge': 10 } }, age('11'), false],
  [{ DateLessThanIfExists: { 'aws:TokenIssueTime': '2030-01-01' } }, {}, true],
  [{ IpAddressIfExists: { 'aws:SourceIp': '10.0.0.0/8' } }, from('10.1.2.3'), true],
  [{ ArnLikeIfExists: { 'aws:PrincipalArn': rootArn } }, by(aliceArn), false],
  [{ Null: { [dept]: 'true' } }, {}, true],
  [{ Null: { [dept]: false } }, {}, false],
  [{ Null: { [dept]: 'false' } }, it, true],
  [{ Null: { [dept]: true } }, it, false],
  [{ Null: { [dept]: [true, false] } }, it, true],
  [{ Null: { 'kms:ViaService': 'true' } }, {}, true],
  // Several values
  [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a', 'b'] } }, keys('a', 'b'), true],
  [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a', 'b'] } }, keys('a'), true],
  [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a', 'b'] } }, keys('a', 'c'), false],
  [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, {}, true],
  [{ 'ForAllValues:StringNotEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('b', 'c'), true],
  [{ 'ForAllValues:StringNotEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('a', 'c'), false],
  [{ 'ForAllValues:StringLike': { 'kms:EncryptionContextKeys': ['a*', 'b*'] } }, keys('ab', 'ba'), true],
  [{ 'ForAllValues:StringLikeIfExists': { 'kms:EncryptionContextKeys': ['a*'] } }, {}, true],
  [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('a', 'c'), true],
  [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('c'), false],
  [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['a'] } }, {}, false],
  [{ 'ForAnyValue:StringNotEquals': { 'kms:EncryptionContextKeys': ['a'] } }, {}, false],
  [{ 'ForAnyValue:StringNotEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('a', 'b'), true],
  [{ 'ForAnyValue:StringNotEquals': { 'kms:EncryptionContextKeys': ['a'] } }, keys('a'), false],
  [{ 'ForAnyValue:StringEqualsIfExists': { 'kms:EncryptionContextKeys': ['a'] } }, {}, undefined],
  [{ 'ForAnyValue:StringEqualsIfExists': { 'kms:EncryptionContextKeys': ['a'] } }, keys('b'), false],
  [
    { 'ForAllValues:ArnLike': { 'kms:ResourceAliases': 'arn:aws:kms:*:*:alias/*' } },
    { 'kms:resourcealiases': ['alias/x'] },
    false,
  ],
  [{ 'ForAnyValue:NumericEquals': { 'aws:TagKeys': 1 } }, { 'aws:tagkeys': ['a', '1'] }, true],
  [{ 'ForAnyValue:IpAddress': { 'aws:TagKeys': '10.0.0.0/8' } }, { 'aws:tagkeys': ['10.1.1.1'] }, true],
  [{ 'ForAllValues:Bool': { 'aws:TagKeys': 'true' } }, { 'aws:tagkeys': ['true', 'false'] }, false],
  [{ 'ForAllValues:DateLessThan': { 'aws:TagKeys': '2030-01-01' } }, { 'aws:tagkeys': ['2029-01-01'] }, true],
  // One key, given twice
  [{ StringEquals: { [dept]: 'IT' } }, { 'kms:encryptioncontext:dept': ['IT', 'HR'] }, undefined],
  [{ StringNotEquals: { [dept]: 'XX' } }, { 'kms:encryptioncontext:dept': ['IT', 'HR'] }, undefined],
  [{ StringEqualsIfExists: { [dept]: 'IT' } }, { 'kms:encryptioncontext:dept': ['IT', 'HR'] }, undefined],
  [{ StringEquals: { 'kms:EncryptionContextKeys': 'a' } }, keys('a', 'b'), undefined],
  [{ StringEquals: { 'kms:EncryptionContextKeys': 'a' } }, keys('a'), true],
  [
    { StringEquals: { 'aws:username': '${kms:EncryptionContext:Dept}' } },
    { ...user('a'), 'kms:encryptioncontext:dept': ['a', 'b'] },
    false,
  ],
  // Booleans and bytes
  [{ Bool: { 'aws:SecureTransport': 'false' } }, { 'aws:securetransport': ['false'] }, true],
  [{ Bool: { 'aws:SecureTransport': true } }, { 'aws:securetransport': ['false'] }, false],
  [{ Bool: { 'aws:SecureTransport': 'True' } }, { 'aws:securetransport': ['true'] }, true],
  [{ BinaryEquals: { [dept]: 'SVQ=' } }, it, true],
  [{ BinaryEquals: { [dept]: 'aXQ=' } }, it, false],
  // ARNs
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/a*' } }, by(aliceArn), true],
  [{ ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/a*' } }, by(aliceArn), true],
  [{ ArnEquals: { 'aws:PrincipalArn': rootArn } }, by(aliceArn), false],
  [{ ArnNotEquals: { 'aws:PrincipalArn': rootArn } }, by(aliceArn), true],
  [{ ArnNotLike: { 'aws:PrincipalArn': aliceArn } }, by(aliceArn), false],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam:*:1:user/*' } }, by('arn:aws:iam::1:user/a:b'), true],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/*' } }, by('arn:aws:iam:x:1:user/a'), false],
  [{ ArnLike: { 'aws:PrincipalArn': '*' } }, by(aliceArn), true],
  [{ ArnLike: { 'aws:PrincipalArn': '*' } }, by('no ARN'), true],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:*:*:*:*:*' } }, by('no ARN'), false],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:*:*:*:*:*' } }, by('arn:aws:iam'), false],
  [
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${aws:username}' } },
    { ...by(aliceArn), ...user('alice') },
    true,
  ],
  [
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${aws:username}' } },
    { ...by(aliceArn), ...user('*') },
    false,
  ],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${aws:username}' } }, by(aliceArn), false],
  [
    { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::${aws:PrincipalAccount}:user/alice' } },
    { ...by(aliceArn), 'aws:principalaccount': ['111122223333'] },
    true,
  ],
  [
    { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:${aws:PrincipalTag/x}::1:user/*' } },
    { ...by('arn:aws:iam::1:user/alice'), 'aws:principaltag/x': ['iam::1:user/alice'] },
    false,
  ],
  [
    { ArnEquals: { 'kms:GranteePrincipal': '${aws:PrincipalArn}' } },
    { ...by(aliceArn), 'kms:granteeprincipal': [aliceArn] },
    true,
  ],
  [
    { ArnEquals: { 'kms:GranteePrincipal': '${aws:PrincipalArn}' } },
    { ...by('arn:aws:iam::1:user/*'), 'kms:granteeprincipal': ['arn:aws:iam::1:user/x'] },
    false,
  ],
  // Numbers
  [{ NumericEquals: { 'aws:MultiFactorAuthAge': '10' } }, age('10'), true],
  [{ NumericEquals: { 'aws:MultiFactorAuthAge': 10 } }, age('10.0'), true],
  [{ NumericNotEquals: { 'aws:MultiFactorAuthAge': '10' } }, age('9'), true],
  [{ NumericNotEquals: { 'aws:MultiFactorAuthAge': '10' } }, age('10'), false],
  [{ NumericLessThan: { 'aws:MultiFactorAuthAge': 10 } }, age('9'), true],
  [{ NumericLessThan: { 'aws:MultiFactorAuthAge': 10 } }, age('10'), false],
  [{ NumericLessThanEquals: { 'aws:MultiFactorAuthAge': 10 } }, age('10'), true],
  [{ NumericLessThanEquals: { 'aws:MultiFactorAuthAge': 10 } }, age('11'), false],
  [{ NumericGreaterThan: { 'aws:MultiFactorAuthAge': 10 } }, age('10'), false],
  [{ NumericGreaterThan: { 'aws:MultiFactorAuthAge': 10 } }, age('100'), true],
  [{ NumericGreaterThanEquals: { 'aws:MultiFactorAuthAge': 10 } }, age('10'), true],
  [{ NumericGreaterThanEquals: { 'aws:MultiFactorAuthAge': '10' } }, age('9'), false],
  [{ NumericGreaterThan: { 'aws:username': 10 } }, user('alice'), false],
  [{ NumericNotEquals: { 'aws:username': 10 } }, user('alice'), true],
  // Dates
  [{ DateEquals: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } }, at('2030-01-01T00:00:00.000Z'), true],
  [{ DateNotEquals: { 'aws:CurrentTime': '2030-01-01' } }, at('2030-01-01T00:00:00Z'), false],
  [{ DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } }, at('2029-12-31T23:59:59Z'), true],
  [{ DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } }, at('2030-01-01T00:00:00Z'), false],
  [{ DateLessThanEquals: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } }, at('2030-01-01T00:00:00Z'), true],
  [{ DateGreaterThan: { 'aws:CurrentTime': '2030-01-01' } }, at('2029-12-31'), false],
  [{ DateGreaterThan: { 'aws:CurrentTime': '2030-01-01' } }, at('2030-01-01T00:00:00Z'), false],
  [{ DateGreaterThan: { 'aws:CurrentTime': '2030-01-01' } }, at('2030-01-01T00:00:01Z'), true],
  [{ DateGreaterThanEquals: { 'aws:CurrentTime': '2030-01-01' } }, at('2030-01-01T00:00:00Z'), true],
  [{ DateLessThan: { 'aws:EpochTime': '2030-01-01' } }, { 'aws:epochtime': ['1893455999'] }, true],
  [{ NumericLessThan: { 'aws:EpochTime': 1893456000 } }, { 'aws:epochtime': ['1893455999'] }, true],
  [{ DateGreaterThan: { 'aws:username': '2030-01-01' } }, user('alice'), false],
  // Addresses
  [{ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, from('127.0.0.1'), true],
  [{ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '::1'] } }, from('::1'), true],
  [{ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, from('::ffff:10.1.2.3'), true],
  [{ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, from('::ffff:10.1.2.3'), false],
  [{ NotIpAddress: { 'aws:SourceIp': '127.0.0.1' } }, from('127.0.0.1'), false],
  [{ NotIpAddress: { 'aws:SourceIp': '127.0.0.1' } }, from('127.0.0.2'), true],
  [{ IpAddress: { 'aws:SourceIp': '127.0.0.1' } }, from('127.0.0.2'), false],
  // All have to be met
  [{ StringEquals: { [dept]: 'IT', 'aws:username': 'alice' } }, it, false],
  [{ StringEquals: { [dept]: 'IT', 'aws:username': 'alice' } }, { ...it, ...user('alice') }, true],
  [{ StringEquals: { [dept]: 'IT' }, Null: { 'aws:username': 'true' } }, it, true],
  [{ StringEquals: { [dept]: 'IT' }, Null: { 'aws:username': 'true' } }, { ...it, ...user('a') }, false],
  [{}, {}, true],
]

test('conditions', () => {
  for (const [block, given, expected] of table) {
    const what = JSON.stringify([block, given])
    assert.equal(met(block, given), expected, what)
  }
  assert.equal(table.length, 142)
})

test('condition operators and values that could not be judged are refused', () => {
  const unknown: Block[] = [
    { StringMaybe: { 'aws:username': 'a' } },
    { stringEquals: { 'aws:username': 'a' } },
    { StringNotNotEquals: { 'aws:username': 'a' } },
    { NumericNotLessThan: { 'aws:EpochTime': 1 } },
    { BoolNot: { 'aws:SecureTransport': 'true' } },
    { BinaryNotEquals: { 'aws:username': 'YQ==' } },
    { BoolIfExistsIfExists: { 'aws:SecureTransport': 'true' } },
    { NullIfExists: { 'aws:username': 'true' } },
    { 'ForAnyValue:Null': { 'aws:TagKeys': 'true' } },
    { 'ForSomeValues:StringEquals': { 'aws:TagKeys': 'a' } },
    { toString: { 'aws:username': 'a' } },
    { '': { 'aws:username': 'a' } },
    { StringEquals: { 'aws:Nothing': 'a' } },
    { StringEquals: { 'aws:PrincipalTag/${aws:username}': 'a' } },
    { StringEquals: { 'kms:EncryptionContext:': 'a' } },
    { StringEquals: { 'aws:username': [] } },
    { StringEquals: { 'aws:username': null } },
    { StringEquals: { 'aws:username': {} } },
    { StringEquals: { 'aws:username': '${aws:nothing}' } },
    { NumericEquals: { 'aws:EpochTime': 'x' } },
    { NumericEquals: { 'aws:EpochTime': '' } },
    { NumericEquals: { 'aws:EpochTime': '${aws:username}' } },
    { DateEquals: { 'aws:CurrentTime': 'x' } },
    { DateEquals: { 'aws:CurrentTime': '${aws:CurrentTime}' } },
    { IpAddress: { 'aws:SourceIp': '1.2.3.4/33' } },
    { IpAddress: { 'aws:SourceIp': '${aws:SourceIp}' } },
    { Bool: { 'aws:SecureTransport': 'yes' } },
    { Null: { 'aws:username': 'maybe' } },
    { BinaryEquals: { 'aws:username': 'no base64' } },
    { ArnLike: { 'aws:PrincipalArn': 'alice' } },
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::user/alice' } },
    { ArnLike: { 'aws:PrincipalArn': '${aws:PrincipalArn}x' } },
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:*:user/alice' } },
    { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:${aws:PrincipalTag/x}:1:user/alice' } },
  ]
  for (const block of unknown) {
    assert.throws(
      () => parseConditions(block, true),
      { exceptionName: 'MalformedPolicyDocumentException' },
      JSON.stringify(block),
    )
  }
  assert.equal(unknown.length, 34)
})
