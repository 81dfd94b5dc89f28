import {
  DeleteUserCommand,
  DeleteAccessKeyCommand,
  GetUserCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { enableDevice, getSession, setClock } from '../../../../test/support/sts-session.ts'

const wrongCode = {
  name: 'AccessDenied',
  message: 'MultiFactorAuthentication failed with invalid MFA one time pass code.',
}
const wrongDevice = {
  name: 'AccessDenied',
  message:
    'MultiFactorAuthentication failed, unable to validate MFA code.  ' +
    'Please verify your MFA serial number is valid and associated with this user.',
}

test('a session of GetSessionToken is the user, with what the user may do', async (t) => {
  const service = await startTestService(t)
  const alice = await service.makeUser('alice', { Action: 'kms:ListKeys' })
  const session = await getSession(service, alice)
  assert.match(session.accessKeyId, /^ASIA/)
  const identity = await service.sts(session).send(new GetCallerIdentityCommand({}))
  assert.equal(identity.Arn, 'arn:aws:iam::111122223333:user/alice')
  assert.match(identity.UserId ?? '', /^AIDA/)
  await service.kms(session).send(new ListKeysCommand({}))
  await assert.rejects(service.kms(session).send(new CreateKeyCommand({})), {
    name: 'AccessDeniedException',
  })
})

test('a session lasts 12 hours, or as long as asked for, and then its token is expired', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice', { Action: 'kms:ListKeys' })
  const sts = service.sts(alice)
  const byDefault = await sts.send(new GetSessionTokenCommand({}))
  assert.equal(byDefault.Credentials?.Expiration?.toISOString(), '2026-03-02T00:00:00.000Z')
  const session = await getSession(service, alice, { DurationSeconds: 900 })
  setSeconds(899)
  await service.kms(session).send(new ListKeysCommand({}))
  setSeconds(900)
  await assert.rejects(service.kms(session).send(new ListKeysCommand({})), {
    name: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  })
  await assert.rejects(service.sts(session).send(new GetCallerIdentityCommand({})), {
    name: 'ExpiredToken',
  })
})

test('a clock that is set back makes neither a session last nor an MFA code look new', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const session = await getSession(service, undefined, { DurationSeconds: 900 })
  const use = () => service.sts(session).send(new GetCallerIdentityCommand({}))
  setSeconds(-300)
  await use()
  setSeconds(-301)
  await assert.rejects(use(), { name: 'ExpiredToken' })
})

test('the service forgets what expired more than a day ago', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const session = await getSession(service, undefined, { DurationSeconds: 900 })
  const use = () => service.sts(session).send(new GetCallerIdentityCommand({}))
  setSeconds(900 + 86_400)
  await service.current.runDue()
  await assert.rejects(use(), { name: 'ExpiredToken' })
  setSeconds(900 + 86_401)
  await service.current.runDue()
  await assert.rejects(use(), { name: 'InvalidClientTokenId' })
})

test('durations have bounds, and the root user’s sessions last an hour at most', async (t) => {
  setClock(t)
  const service = await startTestService(t)
  const alice = service.sts(await service.makeUser('alice'))
  for (const DurationSeconds of [899, 129_601]) {
    await assert.rejects(alice.send(new GetSessionTokenCommand({ DurationSeconds })), {
      name: 'ValidationError',
    })
  }
  const longest = await alice.send(new GetSessionTokenCommand({ DurationSeconds: 129_600 }))
  assert.equal(longest.Credentials?.Expiration?.toISOString(), '2026-03-03T00:00:00.000Z')
  const root = service.sts()
  for (const [DurationSeconds, Expiration] of [
    [undefined, '2026-03-01T13:00:00.000Z'],
    [7200, '2026-03-01T13:00:00.000Z'],
    [900, '2026-03-01T12:15:00.000Z'],
  ] as const) {
    const { Credentials } = await root.send(new GetSessionTokenCommand({ DurationSeconds }))
    assert.equal(Credentials?.Expiration?.toISOString(), Expiration)
  }
})

test('a token is needed, the right one, and only with its own access key', async (t) => {
  const service = await startTestService(t)
  const alice = await service.makeUser('alice', { Action: 'kms:ListKeys' })
  const session = await getSession(service, alice)
  const other = await getSession(service, alice)
  const { accessKeyId, secretAccessKey, sessionToken } = session
  const invalid = { name: 'UnrecognizedClientException' }
  const list = (credentials: typeof alice) => service.kms(credentials).send(new ListKeysCommand({}))
  await assert.rejects(list({ accessKeyId, secretAccessKey }), invalid)
  await assert.rejects(list({ ...session, sessionToken: other.sessionToken ?? '' }), invalid)
  await assert.rejects(list({ ...alice, sessionToken: sessionToken ?? '' }), invalid)
  await assert.rejects(list({ ...session, secretAccessKey: other.secretAccessKey }), {
    name: 'InvalidSignatureException',
  })
  await list(session)
})

test('a session outlives a restart, and ends with its user', async (t) => {
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const session = await getSession(service, alice)
  await service.reopen()
  await service.sts(session).send(new GetCallerIdentityCommand({}))
  const iam = service.iam()
  // As at Amazon, the access key that it was made with does not take it along.
  await iam.send(
    new UpdateAccessKeyCommand({ UserName: 'alice', AccessKeyId: alice.accessKeyId, Status: 'Inactive' }),
  )
  await service.sts(session).send(new GetCallerIdentityCommand({}))
  await iam.send(new DeleteAccessKeyCommand({ UserName: 'alice', AccessKeyId: alice.accessKeyId }))
  await service.sts(session).send(new GetCallerIdentityCommand({}))
  await iam.send(new DeleteUserCommand({ UserName: 'alice' }))
  await assert.rejects(service.sts(session).send(new GetCallerIdentityCommand({})), {
    name: 'InvalidClientTokenId',
  })
  await service.makeUser('alice')
  await assert.rejects(service.sts(session).send(new GetCallerIdentityCommand({})), {
    name: 'InvalidClientTokenId',
  })
})

test('a code is good for one session, in its time', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  const start = new Date()
  const get = (seconds: number) =>
    getSession(service, alice, { SerialNumber: serialNumber, TokenCode: app.code(start, seconds) })
  await assert.rejects(get(0), wrongCode, 'the code that enabled the device')
  setSeconds(30)
  await get(30)
  await assert.rejects(get(30), wrongCode, 'the same code again')
  setSeconds(60)
  await assert.rejects(get(30), wrongCode, 'the same code in the next step')
  await get(90)
  await assert.rejects(get(60), wrongCode, 'a code before the last one')
  await service.reopen()
  await assert.rejects(get(90), wrongCode, 'the same code after a restart')
  await assert.rejects(get(150), wrongCode, 'a code of later')
  setSeconds(211)
  await assert.rejects(get(150), wrongCode, 'a code of earlier')
  await get(180)
})

test('of many requests with one code at the same time, one gets a session', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(30)
  const input = { SerialNumber: serialNumber, TokenCode: app.code(new Date()) }
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, () => getSession(service, alice, input)),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('after five wrong codes in a row none is looked at for a while', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(60)
  const get = (TokenCode: string) => getSession(service, alice, { SerialNumber: serialNumber, TokenCode })
  for (let i = 0; i < 5; i++) await assert.rejects(get('000000'), wrongCode)
  await assert.rejects(get(app.code(new Date())), {
    name: 'AccessDenied',
    message:
      'MultiFactorAuthentication failed: after too many wrong one time pass codes none is accepted until ' +
      '2026-03-01T12:02:00.000Z.',
  })
  setSeconds(120)
  await get(app.code(new Date()))
})

test('only the caller’s own devices count, and both members are needed', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const bob = await service.makeUser('bob')
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(30)
  const TokenCode = app.code(new Date())
  await assert.rejects(getSession(service, bob, { SerialNumber: serialNumber, TokenCode }), wrongDevice)
  await assert.rejects(getSession(service, undefined, { SerialNumber: serialNumber, TokenCode }), wrongDevice)
  const unknown = `${serialNumber}x`
  await assert.rejects(getSession(service, alice, { SerialNumber: unknown, TokenCode }), wrongDevice)
  const half = {
    name: 'AccessDenied',
    message: 'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
  }
  await assert.rejects(getSession(service, alice, { TokenCode }), half)
  await assert.rejects(getSession(service, alice, { SerialNumber: serialNumber }), half)
  await assert.rejects(getSession(service, alice, { SerialNumber: serialNumber, TokenCode: '12345' }), {
    name: 'ValidationError',
  })
  await getSession(service, alice, { SerialNumber: serialNumber, TokenCode })
})

test('the root user’s device is for the root user', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const device = await enableDevice(service.iam(), 'arn:aws:iam::111122223333:root', 'root')
  setSeconds(30)
  const input = { SerialNumber: device.serialNumber, TokenCode: device.app.code(new Date()) }
  await assert.rejects(getSession(service, await service.makeUser('alice'), input), wrongDevice)
  const session = await getSession(service, undefined, input)
  const identity = await service.sts(session).send(new GetCallerIdentityCommand({}))
  assert.equal(identity.Arn, 'arn:aws:iam::111122223333:root')
})

test('such a session calls IAM with MFA only, and little of STS', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice', { Action: '*' })
  const role = await service.makeRole('operator', [{ Principal: { AWS: 'arn:aws:iam::111122223333:root' } }])
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  const without = await getSession(service, alice)
  await assert.rejects(service.iam(without).send(new GetUserCommand({})), { name: 'InvalidClientTokenId' })
  setSeconds(30)
  const proof = { SerialNumber: serialNumber, TokenCode: app.code(new Date()) }
  const withCode = await getSession(service, alice, proof)
  await service.iam(withCode).send(new GetUserCommand({}))
  for (const session of [without, withCode]) {
    const sts = service.sts(session)
    await assert.rejects(sts.send(new GetSessionTokenCommand({})), {
      name: 'AccessDenied',
      message: 'Cannot call GetSessionToken with session credentials',
    })
    const { accessKeyId: AccessKeyId } = session
    await assert.rejects(sts.send(new GetAccessKeyInfoCommand({ AccessKeyId })), { name: 'AccessDenied' })
    await sts.send(new GetCallerIdentityCommand({}))
    await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'shift' }))
  }
  const root = await getSession(service, undefined)
  await assert.rejects(service.iam(root).send(new GetUserCommand({})), { name: 'InvalidClientTokenId' })
})

test('the account of an access key is told to who may ask', async (t) => {
  const service = await startTestService(t)
  const alice = await service.makeUser('alice', { Action: 'sts:GetAccessKeyInfo' })
  const session = await getSession(service, alice)
  const sts = service.sts(alice)
  for (const { accessKeyId: AccessKeyId } of [alice, session]) {
    const { Account } = await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId }))
    assert.equal(Account, '111122223333')
  }
  await assert.rejects(sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' })), {
    name: 'ValidationError',
  })
  const bob = service.sts(await service.makeUser('bob'))
  await assert.rejects(bob.send(new GetAccessKeyInfoCommand({ AccessKeyId: alice.accessKeyId })), {
    name: 'AccessDenied',
  })
})

test('the trail tells of sessions, and nothing of their secrets and codes', async (t) => {
  const setSeconds = setClock(t)
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  setSeconds(30)
  const TokenCode = app.code(new Date())
  const session = await getSession(service, alice, {
    SerialNumber: serialNumber,
    TokenCode,
    DurationSeconds: 900,
  })
  await service.sts(session).send(new GetCallerIdentityCommand({}))
  const [issued, used] = service.trail().slice(-2)
  assert.deepEqual(issued?.['requestParameters'], {
    serialNumber,
    durationSeconds: 900,
    minimumSessionTokenSize: 0,
  })
  assert.deepEqual(issued['responseElements'], {
    credentials: { accessKeyId: session.accessKeyId, expiration: '2026-03-01T12:15:30Z' },
  })
  const identity = JSON.stringify(used?.['userIdentity'])
  assert.ok(identity.includes(`"accessKeyId":"${session.accessKeyId}"`), identity)
  assert.ok(identity.includes('"mfaAuthenticated":"true"'), identity)
  assert.ok(identity.includes('"creationDate":"2026-03-01T12:00:30Z"'), identity)
  const text = JSON.stringify(service.trail())
  for (const secret of [session.secretAccessKey, session.sessionToken ?? '', `"${TokenCode}"`]) {
    assert.ok(!text.includes(secret))
  }
})

test('federation is not offered', async (t) => {
  const service = await startTestService(t)
  const sts = service.sts()
  await assert.rejects(sts.send(new GetFederationTokenCommand({ Name: 'guest' })), { name: 'InvalidAction' })
  await assert.rejects(sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'x' })), {
    name: 'InvalidAction',
  })
})
