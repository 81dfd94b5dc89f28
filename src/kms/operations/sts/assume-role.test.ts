import {
  CreatePolicyCommand,
  DeleteRoleCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, DescribeKeyCommand, EncryptCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, type AssumeRoleCommandInput, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityPolicy, type Statement, trustPolicy } from '../../../../test/support/identities.ts'
import type { Credentials, TestService } from '../../../../test/support/kms-service.ts'
import {
  enableDevice,
  getSession,
  setClock,
  startWithOperator,
} from '../../../../test/support/sts-session.ts'

const aliceArn = 'arn:aws:iam::111122223333:user/alice'
const rootArn = 'arn:aws:iam::111122223333:root'
const roleArn = (name: string): string => `arn:aws:iam::111122223333:role/${name}`
/** Trusts nobody who calls here. */
const byService = { Principal: { Service: 'ec2.amazonaws.com' } }
const byAlice = { Principal: { AWS: aliceArn } }
const tagSession = { ...byAlice, Action: ['sts:AssumeRole', 'sts:TagSession'] }
const denied = { name: 'AccessDenied' }
const invalid = { name: 'ValidationError' }

async function letUser(service: TestService, UserName: string, ...statements: Statement[]): Promise<void> {
  const PolicyDocument = identityPolicy(...statements)
  await service.iam().send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument }))
}

test('who is named by the trust policy needs no policy of his own', async (t) => {
  const { service, alice } = await startWithOperator(t, [byAlice], { Action: 'kms:ListKeys' })
  const command = new AssumeRoleCommand({ RoleArn: roleArn('operator'), RoleSessionName: 'shift' })
  const answer = await service.sts(alice).send(command)
  assert.equal(answer.AssumedRoleUser?.Arn, 'arn:aws:sts::111122223333:assumed-role/operator/shift')
  assert.match(answer.AssumedRoleUser.AssumedRoleId ?? '', /^AROA[A-Z2-7]{16}:shift$/)
  assert.match(answer.Credentials?.AccessKeyId ?? '', /^ASIA/)
  assert.equal(answer.SessionTokenSize, answer.Credentials?.SessionToken?.length)
  assert.equal(answer.SessionTokenUtilization, 2)
})

test('a session of a role is the role, and may what the role may at that moment', async (t) => {
  const { service, assume } = await startWithOperator(t, [byAlice], { Action: 'kms:ListKeys' })
  await letUser(service, 'alice', { Action: 'kms:CreateKey' })
  const session = await assume()
  const identity = await service.sts(session).send(new GetCallerIdentityCommand({}))
  assert.equal(identity.Arn, 'arn:aws:sts::111122223333:assumed-role/operator/shift')
  assert.match(identity.UserId ?? '', /^AROA[A-Z2-7]{16}:shift$/)
  assert.equal(identity.Account, '111122223333')
  await service.kms(session).send(new ListKeysCommand({}))
  await assert.rejects(service.kms(session).send(new CreateKeyCommand({})), { name: 'AccessDeniedException' })
  const PolicyDocument = identityPolicy({ Action: 'kms:CreateKey' })
  const iam = service.iam()
  await iam.send(new PutRolePolicyCommand({ RoleName: 'operator', PolicyName: 'inline', PolicyDocument }))
  await service.kms(session).send(new CreateKeyCommand({}))
  await assert.rejects(service.kms(session).send(new ListKeysCommand({})), { name: 'AccessDeniedException' })
})

test('a trust in the account leaves it to the policies of its users', async (t) => {
  const { service, assume } = await startWithOperator(t, [{ Principal: { AWS: rootArn } }])
  await assert.rejects(assume(), denied)
  await letUser(service, 'alice', { Action: 'sts:AssumeRole', Resource: roleArn('other') })
  await assert.rejects(assume(), denied)
  await letUser(service, 'alice', { Action: 'sts:AssumeRole', Resource: roleArn('operator') })
  await assume()
})

test('a policy of the user’s does not replace the trust, and a Deny anywhere wins', async (t) => {
  const { service, assume } = await startWithOperator(t, [byService])
  await letUser(service, 'alice', { Action: 'sts:*' })
  await assert.rejects(assume(), denied)
  const trust = async (...statements: Statement[]) => {
    const PolicyDocument = trustPolicy(...statements)
    await service.iam().send(new UpdateAssumeRolePolicyCommand({ RoleName: 'operator', PolicyDocument }))
  }
  await trust(byAlice)
  await assume()
  await trust(byAlice, { ...byAlice, Effect: 'Deny' })
  await assert.rejects(assume(), denied)
  await trust(byAlice)
  await letUser(service, 'alice', { Effect: 'Deny', Action: 'sts:AssumeRole' })
  await assert.rejects(assume(), denied)
})

test('a role that is not there answers as one that trusts nobody', async (t) => {
  const { service, assume } = await startWithOperator(t, [byService])
  await letUser(service, 'alice', { Action: 'sts:*' })
  const message = async (RoleArn: string): Promise<string> => {
    const error: unknown = await assume({ RoleArn }).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof Error && error.name === 'AccessDenied')
    return error.message.replaceAll(RoleArn, 'ROLE')
  }
  assert.equal(await message(roleArn('missing')), await message(roleArn('operator')))
  assert.equal(await message('arn:aws:iam::444455556666:role/operator'), await message(roleArn('operator')))
  await assert.rejects(assume({ RoleArn: 'arn:aws:iam::111122223333:user/operator' }), {
    name: 'ValidationError',
    message: 'arn:aws:iam::111122223333:user/operator is invalid',
  })
})

test('the root user assumes no role', async (t) => {
  const { service, assume } = await startWithOperator(t, [{ Principal: { AWS: rootArn } }])
  const refused = { name: 'AccessDenied', message: 'Roles may not be assumed by root accounts.' }
  const root = service.clientConfig().credentials
  await assert.rejects(assume({}, root), refused)
  await assert.rejects(assume({}, await getSession(service, undefined)), refused)
})

test('a session lasts an hour, as long as asked for, and not longer than the role allows', async (t) => {
  const setSeconds = setClock(t)
  const { service, alice, assume } = await startWithOperator(t, [byAlice], { Action: 'kms:ListKeys' })
  const command = new AssumeRoleCommand({ RoleArn: roleArn('operator'), RoleSessionName: 'shift' })
  const { Credentials } = await service.sts(alice).send(command)
  assert.equal(Credentials?.Expiration?.toISOString(), '2026-03-01T13:00:00.000Z')
  await assert.rejects(assume({ DurationSeconds: 3601 }), {
    name: 'ValidationError',
    message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  })
  await assert.rejects(assume({ DurationSeconds: 899 }), invalid)
  await assert.rejects(assume({ DurationSeconds: 43_201 }), invalid)
  const session = await assume({ DurationSeconds: 900 })
  setSeconds(899)
  await service.kms(session).send(new ListKeysCommand({}))
  setSeconds(900)
  await assert.rejects(service.kms(session).send(new ListKeysCommand({})), { name: 'ExpiredTokenException' })
  await service.iam().send(new UpdateRoleCommand({ RoleName: 'operator', MaxSessionDuration: 43_200 }))
  await assume({ DurationSeconds: 43_200 })
})

test('who has a session already gets an hour at most, GetSessionToken’s included', async (t) => {
  const { service, alice, assume } = await startWithOperator(t, [{ Principal: '*' }])
  const iam = service.iam()
  await iam.send(new UpdateRoleCommand({ RoleName: 'operator', MaxSessionDuration: 43_200 }))
  const tooLong = {
    name: 'ValidationError',
    message:
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
  }
  for (const caller of [await getSession(service, alice), await assume()]) {
    await assume({ DurationSeconds: 3600 }, caller)
    await assert.rejects(assume({ DurationSeconds: 3601 }, caller), tooLong)
  }
})

test('a session ends with its role', async (t) => {
  const { service, assume } = await startWithOperator(t, [byAlice])
  const session = await assume()
  const iam = service.iam()
  await iam.send(new DeleteRoleCommand({ RoleName: 'operator' }))
  await assert.rejects(service.sts(session).send(new GetCallerIdentityCommand({})), {
    name: 'InvalidClientTokenId',
  })
  await service.makeRole('operator', [byAlice])
  await assert.rejects(service.sts(session).send(new GetCallerIdentityCommand({})), {
    name: 'InvalidClientTokenId',
  })
})

test('sessions from before a time are revoked as at Amazon, by a Deny on aws:TokenIssueTime', async (t) => {
  const setSeconds = setClock(t)
  const { service, assume } = await startWithOperator(t, [byAlice], { Action: 'kms:ListKeys' })
  const list = (session: Credentials) => service.kms(session).send(new ListKeysCommand({}))
  const before = await assume()
  setSeconds(60)
  const PolicyDocument = identityPolicy({
    Effect: 'Deny',
    Action: '*',
    Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-03-01T12:01:00.000Z' } },
  })
  const revoke = { RoleName: 'operator', PolicyName: 'AWSRevokeOlderSessions', PolicyDocument }
  await service.iam().send(new PutRolePolicyCommand(revoke))
  await assert.rejects(list(before), { name: 'AccessDeniedException' })
  await list(await assume())
})

test('a user’s sessions are revoked the same way, without the user’s access key', async (t) => {
  const setSeconds = setClock(t)
  const { service, alice } = await startWithOperator(t, [byAlice])
  await letUser(service, 'alice', { Action: 'kms:ListKeys' })
  const session = await getSession(service, alice)
  setSeconds(60)
  await letUser(
    service,
    'alice',
    { Action: 'kms:ListKeys' },
    {
      Effect: 'Deny',
      Action: '*',
      Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-03-01T12:00:30Z' } },
    },
  )
  await assert.rejects(service.kms(session).send(new ListKeysCommand({})), { name: 'AccessDeniedException' })
  await service.kms(alice).send(new ListKeysCommand({}))
  await service.kms(await getSession(service, alice)).send(new ListKeysCommand({}))
})

test('a trust policy that wants MFA is met by a code with the call, once', async (t) => {
  const setSeconds = setClock(t)
  const mfa = { ...byAlice, Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }
  const { service, alice, assume } = await startWithOperator(t, [mfa], { Action: 'kms:ListKeys' })
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  await assert.rejects(assume(), denied)
  await assert.rejects(assume({}, await getSession(service, alice)), denied)
  setSeconds(30)
  const proof = { SerialNumber: serialNumber, TokenCode: app.code(new Date()) }
  const wrong = {
    name: 'AccessDenied',
    message: 'MultiFactorAuthentication failed with invalid MFA one time pass code.',
  }
  await assert.rejects(assume({ ...proof, TokenCode: '000000' }), wrong)
  const session = await assume(proof)
  await service.kms(session).send(new ListKeysCommand({}))
  await assert.rejects(assume(proof), wrong)
  // Or by a session that a code was shown for.
  setSeconds(60)
  const withCode = { SerialNumber: serialNumber, TokenCode: app.code(new Date()) }
  await assume({}, await getSession(service, alice, withCode))
})

test('the age of the code counts from the session that it was shown for', async (t) => {
  const setSeconds = setClock(t)
  const recent = { ...byAlice, Condition: { NumericLessThan: { 'aws:MultiFactorAuthAge': '300' } } }
  const { service, alice, assume } = await startWithOperator(t, [recent])
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(30)
  const proof = { SerialNumber: serialNumber, TokenCode: app.code(new Date()) }
  const session = await getSession(service, alice, proof)
  setSeconds(329)
  await assume({}, session)
  setSeconds(330)
  await assert.rejects(assume({}, session), denied)
  await assume({ ...proof, TokenCode: app.code(new Date()) })
})

test('a code is used up even when the role is refused', async (t) => {
  const setSeconds = setClock(t)
  const { service, alice, assume } = await startWithOperator(t, [byService])
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(30)
  const proof = { SerialNumber: serialNumber, TokenCode: app.code(new Date()) }
  await assert.rejects(assume(proof), denied)
  await assert.rejects(getSession(service, alice, proof), {
    message: 'MultiFactorAuthentication failed with invalid MFA one time pass code.',
  })
})

test('a role’s session is not authenticated by MFA, and a role has no device', async (t) => {
  const setSeconds = setClock(t)
  const { service, assume } = await startWithOperator(
    t,
    [{ Principal: '*' }],
    { Action: 'kms:ListKeys', Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } },
    { Action: 'kms:CreateKey', Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } },
  )
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(30)
  const session = await assume({ SerialNumber: serialNumber, TokenCode: app.code(new Date()) })
  await assert.rejects(service.kms(session).send(new ListKeysCommand({})), { name: 'AccessDeniedException' })
  await service.kms(session).send(new CreateKeyCommand({}))
  setSeconds(60)
  await assert.rejects(
    assume({ SerialNumber: serialNumber, TokenCode: app.code(new Date()) }, session),
    denied,
  )
})

test('conditions ask for the external id and the session name', async (t) => {
  const { assume } = await startWithOperator(t, [
    {
      ...byAlice,
      Condition: { StringEquals: { 'sts:ExternalId': 'Example987', 'sts:RoleSessionName': 'alice' } },
    },
  ])
  await assert.rejects(assume({ RoleSessionName: 'alice' }), denied)
  await assert.rejects(assume({ ExternalId: 'Example987' }), denied)
  await assert.rejects(assume({ RoleSessionName: 'alice', ExternalId: 'Example986' }), denied)
  await assume({ RoleSessionName: 'alice', ExternalId: 'Example987' })
})

test('members have Amazon’s bounds', async (t) => {
  const { assume } = await startWithOperator(t, [tagSession])
  let refused = 0
  for (const input of [
    { RoleSessionName: 'a' },
    { RoleSessionName: 'a'.repeat(65) },
    { RoleSessionName: 'a b' },
    { ExternalId: 'a' },
    { ExternalId: 'a'.repeat(1225) },
    { SourceIdentity: 'a' },
    { SourceIdentity: 'a/b' },
    { Policy: ' '.repeat(2049) },
    { Tags: [{ Key: '', Value: '' }] },
    { Tags: [{ Key: 'a'.repeat(129), Value: '' }] },
    { Tags: [{ Key: 'a', Value: 'a'.repeat(257) }] },
    { Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) },
    { PolicyArns: Array.from({ length: 11 }, () => ({ arn: 'arn:aws:iam::111122223333:policy/p' })) },
    { TokenCode: '1234567', SerialNumber: 'arn:aws:iam::111122223333:mfa/phone' },
    { MinimumSessionTokenSize: 4097 },
  ]) {
    await assert.rejects(assume(input), invalid, JSON.stringify(input).slice(0, 80))
    refused++
  }
  assert.equal(refused, 15)
})

test('session policies limit what a session may, and can’t add to it', async (t) => {
  const { service, assume } = await startWithOperator(t, [byAlice], {
    Action: ['kms:ListKeys', 'kms:DescribeKey'],
  })
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const { Policy: managed } = await service.iam().send(
    new CreatePolicyCommand({
      PolicyName: 'limits',
      PolicyDocument: identityPolicy({ Action: 'kms:DescribeKey' }),
    }),
  )
  const outcomes = async (input: Partial<AssumeRoleCommandInput>): Promise<boolean[]> => {
    const kms = service.kms(await assume(input))
    const results = await Promise.allSettled([
      kms.send(new ListKeysCommand({})),
      kms.send(new DescribeKeyCommand({ KeyId })),
      kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })),
    ])
    return results.map(({ status }) => status === 'fulfilled')
  }
  const PolicyArns = [{ arn: managed?.Arn }]
  assert.deepEqual(await outcomes({}), [true, true, false])
  assert.deepEqual(await outcomes({ Policy: identityPolicy({ Action: 'kms:ListKeys' }) }), [
    true,
    false,
    false,
  ])
  assert.deepEqual(await outcomes({ PolicyArns }), [false, true, false])
  assert.deepEqual(
    await outcomes({ PolicyArns, Policy: identityPolicy({ Action: ['kms:ListKeys', 'kms:Encrypt'] }) }),
    [true, true, false],
  )
  await assert.rejects(assume({ Policy: '{"Statement":[]}' }), { name: 'MalformedPolicyDocumentException' })
  await assert.rejects(assume({ PolicyArns: [{ arn: `${managed?.Arn ?? ''}x` }] }), invalid)
  const long = identityPolicy({ Action: 'kms:ListKeys', Sid: 'a'.repeat(1850) })
  await assume({ Policy: long })
  await assert.rejects(assume({ Policy: long, PolicyArns: [...PolicyArns, ...PolicyArns, ...PolicyArns] }), {
    name: 'PackedPolicyTooLargeException',
  })
})

test('the trail tells who became what, and no secret', async (t) => {
  setClock(t)
  const { service, alice } = await startWithOperator(t, [
    { ...byAlice, Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] },
  ])
  const command = new AssumeRoleCommand({
    RoleArn: roleArn('operator'),
    RoleSessionName: 'shift',
    SourceIdentity: 'alice',
    ExternalId: 'Example987',
  })
  const { Credentials, AssumedRoleUser } = await service.sts(alice).send(command)
  assert.ok(Credentials?.AccessKeyId !== undefined)
  const session = {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey ?? '',
    sessionToken: Credentials.SessionToken ?? '',
  }
  await service.sts(session).send(new GetCallerIdentityCommand({}))
  const [assumed, used] = service.trail().slice(-2)
  assert.equal(assumed?.['eventName'], 'AssumeRole')
  assert.deepEqual(assumed['requestParameters'], {
    roleArn: roleArn('operator'),
    roleSessionName: 'shift',
    durationSeconds: 3600,
    externalId: 'Example987',
    minimumSessionTokenSize: 0,
    sourceIdentity: 'alice',
  })
  assert.deepEqual(assumed['responseElements'], {
    credentials: { accessKeyId: session.accessKeyId, expiration: '2026-03-01T13:00:00Z' },
    assumedRoleUser: { assumedRoleId: AssumedRoleUser?.AssumedRoleId, arn: AssumedRoleUser?.Arn },
    sourceIdentity: 'alice',
  })
  const identity = JSON.stringify(used?.['userIdentity'])
  assert.ok(identity.includes('"type":"AssumedRole"'), identity)
  assert.ok(identity.includes('"arn":"arn:aws:sts::111122223333:assumed-role/operator/shift"'), identity)
  assert.ok(identity.includes(`"arn":"${roleArn('operator')}"`), identity)
  assert.ok(identity.includes('"sourceIdentity":"alice"'), identity)
  const text = JSON.stringify(service.trail())
  assert.ok(!text.includes(session.secretAccessKey) && !text.includes(session.sessionToken))
})
