import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { type Credentials, startTestService, type TestService } from '../../test/support/kms-service.ts'
import type { Authenticator } from '../../test/support/authenticator.ts'
import { enableDevice } from '../../test/support/sts-session.ts'
import { AwsAccess } from '../aws/access.ts'
import { codesAskedFor, onlyCode } from './code.ts'
import { findOwnDevice } from './own-device.ts'
import { openSession, requireLongTermCredentials, type SessionWish } from './session.ts'

interface Site {
  readonly service: TestService
  readonly alice: Credentials
  readonly app: Authenticator
  readonly wish: SessionWish
  readonly as: (credentials: Credentials) => AwsAccess
}

const account = 'arn:aws:iam::111122223333'
const mayList = { Action: 'iam:ListMFADevices' }

async function site(t: TestContext, ...statements: Readonly<Record<string, unknown>>[]): Promise<Site> {
  // The time stands still, so that no code becomes another; near the true one, by which the SDK sets its clock.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const service = await startTestService(t)
  const alice = await service.makeUser('alice', ...statements)
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'phone')
  return {
    service,
    alice,
    app,
    wish: { serialNumber, durationSeconds: 900, role: undefined },
    as: (credentials) => {
      const { url: endpointUrl, region } = service.current
      const aws = new AwsAccess({ credentials, region, endpointUrl })
      t.after(() => {
        aws.close()
      })
      return aws
    },
  }
}

/** Answers each question with the next of these, and keeps what it was told. */
function typist(...lines: string[]): {
  ask: (fault: string | undefined) => Promise<Buffer>
  told: (string | undefined)[]
} {
  const told: (string | undefined)[] = []
  return {
    told,
    ask: (fault) => {
      told.push(fault)
      return Promise.resolve(Buffer.from(lines.shift() ?? assert.fail('asked too often')))
    },
  }
}

/** A code that the app shows at none of the times around now. */
function wrongCode(app: Authenticator): string {
  const right = [-60, -30, 0, 30, 60].map((seconds) => app.code(new Date(), seconds))
  return (
    ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? ''
  )
}

test('a session of the user’s own, of 15 minutes, for one code', async (t) => {
  const { service, alice, app, wish, as } = await site(t)
  const { expiration, ...session } = await openSession(as(alice), wish, onlyCode(app.code(new Date(), 30)))
  assert.equal(expiration.getTime(), Math.floor(Date.now() / 1000) * 1000 + 900_000)
  const { Arn } = await service.sts(session).send(new GetCallerIdentityCommand({}))
  assert.equal(Arn, `${account}:user/alice`)
  await assert.rejects(requireLongTermCredentials(as(session)), {
    code: 'SR_AWS_CREDENTIALS',
    message: /temporary, and GetSessionToken takes an access key .* --role-arn$/,
  })
  await requireLongTermCredentials(as(alice))
})

test('a role whose trust policy demands a code', async (t) => {
  const { service, alice, app, wish, as } = await site(t, { Action: 'sts:AssumeRole' })
  const Condition = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }
  const arn = await service.makeRole('opener', [{ Principal: { AWS: `${account}:user/alice` }, Condition }])
  const role = { arn, sessionName: 'payroll-db' }
  const { ask, told } = typist(wrongCode(app), app.code(new Date(), 30))
  const session = await openSession(as(alice), { ...wish, role }, codesAskedFor(ask))
  const { Arn } = await service.sts(session).send(new GetCallerIdentityCommand({}))
  assert.equal(Arn, 'arn:aws:sts::111122223333:assumed-role/opener/payroll-db')
  assert.equal(told.length, 2)
})

test('a wrong code, a used one and what is no code are asked for again, three times in all', async (t) => {
  const { alice, app, wish, as } = await site(t)
  const used = app.code(new Date())
  const { ask, told } = typist(wrongCode(app), used, app.code(new Date(), 30))
  const session = await openSession(as(alice), wish, codesAskedFor(ask))
  assert.match(session.accessKeyId, /^ASIA/)
  const [first, second, third] = told
  assert.equal(first, undefined)
  for (const fault of [second, third]) {
    assert.match(
      fault ?? '',
      /^the code of \S+:mfa\/phone is wrong, or was used before .* wait for the next one; .* clock .* \(AccessDenied: .*, request id \S+\)$/,
    )
  }
  const clumsy = typist('12345', used, used)
  await assert.rejects(openSession(as(alice), wish, codesAskedFor(clumsy.ask)), { code: 'SR_MFA_REFUSED' })
  assert.deepEqual(
    clumsy.told.map((fault) => fault?.slice(0, 25)),
    [undefined, 'that is not six digits', 'the code of arn:aws:iam::'],
  )
  const mute = typist('', '12 34 56', 'abcdef')
  await assert.rejects(openSession(as(alice), wish, codesAskedFor(mute.ask)), {
    code: 'SR_MFA_CODE',
    message: 'no code of six digits was given; nothing was started',
  })
})

test('a code that was refused is not sent again', async (t) => {
  const { service, alice, app, wish, as } = await site(t)
  const wrong = wrongCode(app)
  const { ask, told } = typist(wrong, wrong, app.code(new Date(), 30))
  await openSession(as(alice), wish, codesAskedFor(ask))
  assert.equal(told[2], 'that code was refused already: wait for the next one')
  const asked = service.trail().filter(({ eventName }) => eventName === 'GetSessionToken')
  assert.equal(asked.length, 2)
})

test('the only code there is is tried once, and not at all for another’s device', async (t) => {
  const { service, alice, app, wish, as } = await site(t)
  const used = app.code(new Date())
  await assert.rejects(openSession(as(alice), wish, onlyCode(used)), { code: 'SR_MFA_REFUSED' })
  const bob = await service.makeUser('bob')
  const { ask, told } = typist(app.code(new Date(), 30))
  await assert.rejects(openSession(as(bob), wish, codesAskedFor(ask)), {
    code: 'SR_MFA_REFUSED',
    message:
      /^\S+:mfa\/phone is no MFA device of the user whose access key is used: see to --serial and --profile \(/,
  })
  assert.equal(told.length, 1)
})

test('what other codes would not change is not asked for again', async (t) => {
  const { alice, app, wish, as } = await site(t)
  const { ask, told } = typist(app.code(new Date(), 30))
  const role = { arn: `${account}:role/none`, sessionName: 'payroll-db' }
  await assert.rejects(openSession(as(alice), { ...wish, role }, codesAskedFor(ask)), {
    code: 'SR_AWS_REFUSED',
    message: /^cannot get temporary credentials: .* does not let you \(AccessDenied: /,
  })
  assert.equal(told.length, 1)
  const unreachable = new AwsAccess({
    credentials: alice,
    region: 'us-east-1',
    endpointUrl: 'http://127.0.0.1:9',
  })
  await assert.rejects(openSession(unreachable, wish, onlyCode('123456')), { code: 'SR_AWS_UNREACHABLE' })
  unreachable.close()
})

test('after five wrong codes the service says until when it takes none', async (t) => {
  const { alice, app, wish, as } = await site(t)
  const wrong = wrongCode(app)
  for (let n = 0; n < 5; n++)
    await assert.rejects(openSession(as(alice), wish, onlyCode(wrong)), { code: 'SR_MFA_REFUSED' })
  const { ask, told } = typist(app.code(new Date(), 30))
  await assert.rejects(openSession(as(alice), wish, codesAskedFor(ask)), {
    code: 'SR_MFA_REFUSED',
    message: /^no code of \S+:mfa\/phone is taken \(AccessDenied: .*until 20/,
  })
  assert.equal(told.length, 1)
})

test('the device is found where the user may list it and has one', async (t) => {
  const { service, alice, wish, as } = await site(t, mayList)
  assert.equal(await findOwnDevice(as(alice)), wish.serialNumber)
  await enableDevice(service.iam(), 'alice', 'tablet')
  await assert.rejects(findOwnDevice(as(alice)), {
    code: 'SR_MFA_DEVICE',
    message: /^you have several MFA devices; name one with --serial: (\S+:mfa\/(phone|tablet)(, |$)){2}/,
  })
  await assert.rejects(findOwnDevice(as(await service.makeUser('bob', mayList))), {
    code: 'SR_MFA_DEVICE',
    message: /^you have no MFA device that shows codes/,
  })
  await assert.rejects(findOwnDevice(as(await service.makeUser('carol'))), {
    code: 'SR_MFA_DEVICE',
    message:
      /^cannot list your MFA devices: .*ListMFADevices.*; name yours with --serial arn:aws:iam::ACCOUNT:mfa\/NAME$/,
  })
})
