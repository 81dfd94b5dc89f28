import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  DeactivateMFADeviceCommand,
  DeleteUserCommand,
  DeleteVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  type IAMClient,
  IAMServiceException,
  ListMFADevicesCommand,
  ListMFADeviceTagsCommand,
  ListVirtualMFADevicesCommand,
  ResyncMFADeviceCommand,
  TagMFADeviceCommand,
  UntagMFADeviceCommand,
} from '@aws-sdk/client-iam'
import jsqr from 'jsqr'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { PNG } from 'pngjs'
import { Authenticator } from '../../../../test/support/authenticator.ts'
import { startTestService, type TestService } from '../../../../test/support/kms-service.ts'

const serial = (name: string): string => `arn:aws:iam::111122223333:mfa/${name}`
const rootArn = 'arn:aws:iam::111122223333:root'

async function started(t: TestContext): Promise<{ service: TestService; iam: IAMClient }> {
  const service = await startTestService(t)
  const iam = service.iam()
  t.after(() => {
    iam.destroy()
  })
  return { service, iam }
}

async function createDevice(iam: IAMClient, name: string): Promise<Authenticator> {
  const { VirtualMFADevice } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: name }),
  )
  assert.equal(VirtualMFADevice?.SerialNumber, serial(name))
  return new Authenticator(Buffer.from(VirtualMFADevice.Base32StringSeed ?? []).toString())
}

async function enable(
  iam: IAMClient,
  device: { name: string; app: Authenticator; userName: string },
): Promise<void> {
  await iam.send(
    new EnableMFADeviceCommand({
      UserName: device.userName,
      SerialNumber: serial(device.name),
      ...device.app.pair(new Date()),
    }),
  )
}

test('a new device comes with its seed and the same seed as a picture', async (t) => {
  const { iam } = await started(t)
  const { VirtualMFADevice } = await iam.send(
    new CreateVirtualMFADeviceCommand({
      VirtualMFADeviceName: 'phone',
      Path: '/people/',
      Tags: [{ Key: 'team', Value: 'db' }],
    }),
  )
  assert.equal(VirtualMFADevice?.SerialNumber, 'arn:aws:iam::111122223333:mfa/people/phone')
  assert.deepEqual(VirtualMFADevice.Tags, [{ Key: 'team', Value: 'db' }])
  const seed = Buffer.from(VirtualMFADevice.Base32StringSeed ?? []).toString()
  assert.match(seed, /^[A-Z2-7]{64}$/)
  const { data, width, height } = PNG.sync.read(Buffer.from(VirtualMFADevice.QRCodePNG ?? []))
  assert.equal(
    jsqr.default(new Uint8ClampedArray(data), width, height, { inversionAttempts: 'dontInvert' })?.data,
    `otpauth://totp/Strongroom:phone%40111122223333?secret=${seed}&issuer=Strongroom`,
  )
})

test('two codes in a row make a device a user’s, and it is shown as such', async (t) => {
  const { iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const app = await createDevice(iam, 'phone')
  await createDevice(iam, 'spare')
  await enable(iam, { name: 'phone', app, userName: 'alice' })
  const { MFADevices } = await iam.send(new ListMFADevicesCommand({ UserName: 'alice' }))
  assert.deepEqual(
    MFADevices?.map(({ UserName, SerialNumber }) => ({ UserName, SerialNumber })),
    [{ UserName: 'alice', SerialNumber: serial('phone') }],
  )
  const serials = async (AssignmentStatus: 'Any' | 'Assigned' | 'Unassigned') => {
    const answer = await iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus }))
    return answer.VirtualMFADevices?.map(({ SerialNumber, User }) => [SerialNumber, User?.UserName])
  }
  assert.deepEqual(await serials('Assigned'), [[serial('phone'), 'alice']])
  assert.deepEqual(await serials('Unassigned'), [[serial('spare'), undefined]])
  assert.equal((await serials('Any'))?.length, 2)
})

test('lists come in pages', async (t) => {
  const { iam } = await started(t)
  for (const name of ['c', 'a', 'b']) await createDevice(iam, name)
  const first = await iam.send(new ListVirtualMFADevicesCommand({ MaxItems: 2 }))
  assert.deepEqual(
    first.VirtualMFADevices?.map(({ SerialNumber }) => SerialNumber),
    [serial('a'), serial('b')],
  )
  assert.equal(first.IsTruncated, true)
  const second = await iam.send(new ListVirtualMFADevicesCommand({ MaxItems: 2, Marker: first.Marker }))
  assert.deepEqual(
    second.VirtualMFADevices?.map(({ SerialNumber }) => SerialNumber),
    [serial('c')],
  )
  assert.equal(second.IsTruncated, false)
})

test('wrong codes enable nothing', async (t) => {
  const { iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const app = await createDevice(iam, 'phone')
  const now = new Date()
  for (const [AuthenticationCode1, AuthenticationCode2] of [
    [app.code(now), app.code(now, -30)],
    [app.code(now), app.code(now)],
    [app.code(now, -600), app.code(now, -570)],
  ]) {
    await assert.rejects(
      iam.send(
        new EnableMFADeviceCommand({
          UserName: 'alice',
          SerialNumber: serial('phone'),
          AuthenticationCode1,
          AuthenticationCode2,
        }),
      ),
      (error: unknown) =>
        error instanceof IAMServiceException &&
        error.name === 'InvalidAuthenticationCodeException' &&
        error.$metadata.httpStatusCode === 403,
    )
  }
  const { MFADevices } = await iam.send(new ListMFADevicesCommand({ UserName: 'alice' }))
  assert.deepEqual(MFADevices, [])
})

test('the root user has devices too, under its ARN', async (t) => {
  const { iam } = await started(t)
  const app = await createDevice(iam, 'root')
  await enable(iam, { name: 'root', app, userName: rootArn })
  const { MFADevices } = await iam.send(new ListMFADevicesCommand({}))
  assert.equal(MFADevices?.[0]?.SerialNumber, serial('root'))
  await iam.send(new DeactivateMFADeviceCommand({ SerialNumber: serial('root') }))
  assert.deepEqual((await iam.send(new ListMFADevicesCommand({ UserName: rootArn }))).MFADevices, [])
})

test('the devices of the root user are none of an administrator’s business', async (t) => {
  const { service, iam } = await started(t)
  const app = await createDevice(iam, 'root')
  await enable(iam, { name: 'root', app, userName: rootArn })
  const admin = service.iam(await service.makeUser('admin', { Action: '*' }))
  const SerialNumber = serial('root')
  const other = await createDevice(admin, 'other')
  const denied = { name: /AccessDenied/, message: "The root user's MFA devices are for the root user alone." }
  await assert.rejects(enable(admin, { name: 'other', app: other, userName: rootArn }), denied)
  const deactivate = new DeactivateMFADeviceCommand({ SerialNumber, UserName: rootArn })
  await assert.rejects(admin.send(deactivate), denied)
  await assert.rejects(admin.send(new ListMFADevicesCommand({ UserName: rootArn })), denied)
  assert.equal((await iam.send(new ListMFADevicesCommand({}))).MFADevices?.length, 1)
})

test('a device that is in use is neither enabled again nor deleted, nor is its user', async (t) => {
  const { iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  await iam.send(new CreateUserCommand({ UserName: 'bob' }))
  const app = await createDevice(iam, 'phone')
  await enable(iam, { name: 'phone', app, userName: 'alice' })
  await assert.rejects(enable(iam, { name: 'phone', app, userName: 'bob' }), {
    name: 'EntityAlreadyExistsException',
  })
  const deletion = new DeleteVirtualMFADeviceCommand({ SerialNumber: serial('phone') })
  await assert.rejects(iam.send(deletion), { name: 'DeleteConflictException' })
  const ofBob = { UserName: 'bob', SerialNumber: serial('phone') }
  await assert.rejects(iam.send(new DeactivateMFADeviceCommand(ofBob)), { name: 'NoSuchEntityException' })
  await assert.rejects(
    iam.send(new ResyncMFADeviceCommand({ ...ofBob, ...app.pair(new Date(Date.now() + 60_000)) })),
    { name: 'NoSuchEntityException' },
  )
  const userDeletion = new DeleteUserCommand({ UserName: 'alice' })
  await assert.rejects(iam.send(userDeletion), { name: 'DeleteConflictException' })
  await iam.send(new DeactivateMFADeviceCommand({ UserName: 'alice', SerialNumber: serial('phone') }))
  await iam.send(userDeletion)
  await iam.send(deletion)
  await assert.rejects(iam.send(deletion), { name: 'NoSuchEntityException' })
})

test('a user has at most eight devices', async (t) => {
  const { iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  for (let i = 1; i <= 8; i++) {
    await enable(iam, { name: `d${i}`, app: await createDevice(iam, `d${i}`), userName: 'alice' })
  }
  const ninth = await createDevice(iam, 'd9')
  await assert.rejects(enable(iam, { name: 'd9', app: ninth, userName: 'alice' }), {
    name: 'LimitExceededException',
    message: 'Cannot exceed quota for MFADevicesPerUser: 8',
  })
})

test('names are taken once, and serial numbers have at most 256 characters', async (t) => {
  const { iam } = await started(t)
  await createDevice(iam, 'phone')
  await assert.rejects(createDevice(iam, 'Phone'), { name: 'EntityAlreadyExistsException' })
  await createDevice(iam, 'n'.repeat(226))
  await assert.rejects(createDevice(iam, 'n'.repeat(227)), { name: 'ValidationError' })
})

test('resynchronising takes two codes in a row of a device whose clock is off', async (t) => {
  const { iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const app = await createDevice(iam, 'phone')
  await enable(iam, { name: 'phone', app, userName: 'alice' })
  const resync = (seconds: number) =>
    iam.send(
      new ResyncMFADeviceCommand({
        UserName: 'alice',
        SerialNumber: serial('phone'),
        ...app.pair(new Date(Date.now() + seconds * 1000)),
      }),
    )
  await assert.rejects(resync(3600), { name: 'InvalidAuthenticationCodeException' })
  await resync(300)
  await assert.rejects(resync(300), { name: 'InvalidAuthenticationCodeException' })
})

test('devices have tags', async (t) => {
  const { iam } = await started(t)
  await createDevice(iam, 'phone')
  const SerialNumber = serial('phone')
  await iam.send(
    new TagMFADeviceCommand({
      SerialNumber,
      Tags: [
        { Key: 'b', Value: '1' },
        { Key: 'a', Value: '' },
      ],
    }),
  )
  await iam.send(new TagMFADeviceCommand({ SerialNumber, Tags: [{ Key: 'B', Value: '2' }] }))
  const tags = async () => (await iam.send(new ListMFADeviceTagsCommand({ SerialNumber }))).Tags
  assert.deepEqual(await tags(), [
    { Key: 'B', Value: '2' },
    { Key: 'a', Value: '' },
  ])
  await iam.send(new UntagMFADeviceCommand({ SerialNumber, TagKeys: ['b'] }))
  assert.deepEqual(await tags(), [{ Key: 'a', Value: '' }])
  await assert.rejects(iam.send(new ListMFADeviceTagsCommand({ SerialNumber: serial('none') })), {
    name: 'NoSuchEntityException',
  })
})

test('a device with tags needs the permission to tag too', async (t) => {
  const { service } = await started(t)
  const may = { Action: 'iam:CreateVirtualMFADevice' }
  const create = async (userName: string, ...actions: { Action: string }[]): Promise<void> => {
    const iam = service.iam(await service.makeUser(userName, ...actions))
    const Tags = [{ Key: 'team', Value: 'db' }]
    await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: userName, Tags }))
  }
  await assert.rejects(create('alice', may), { name: 'AccessDenied' })
  await create('bob', may, { Action: 'iam:TagMFADevice' })
})

test('an ordinary user may do none of it', async (t) => {
  const { service, iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  await createDevice(iam, 'phone')
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  const alice = service.iam({
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  })
  t.after(() => {
    alice.destroy()
  })
  const SerialNumber = serial('phone')
  const codes = { AuthenticationCode1: '000000', AuthenticationCode2: '000000' }
  const UserName = 'alice'
  let refused = 0
  for (const command of [
    () => alice.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'x' })),
    () => alice.send(new EnableMFADeviceCommand({ UserName, SerialNumber, ...codes })),
    () => alice.send(new ResyncMFADeviceCommand({ UserName, SerialNumber, ...codes })),
    () => alice.send(new DeactivateMFADeviceCommand({ UserName, SerialNumber })),
    () => alice.send(new DeactivateMFADeviceCommand({ UserName: rootArn, SerialNumber })),
    () => alice.send(new DeleteVirtualMFADeviceCommand({ SerialNumber })),
    () => alice.send(new ListMFADevicesCommand({})),
    () => alice.send(new ListVirtualMFADevicesCommand({})),
    () => alice.send(new TagMFADeviceCommand({ SerialNumber, Tags: [] })),
    () => alice.send(new UntagMFADeviceCommand({ SerialNumber, TagKeys: [] })),
    () => alice.send(new ListMFADeviceTagsCommand({ SerialNumber })),
  ]) {
    await assert.rejects(command(), { name: 'AccessDenied' })
    refused++
  }
  assert.equal(refused, 11)
})

test('neither seeds nor codes are in the trail or the database', async (t) => {
  const { service, iam } = await started(t)
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { VirtualMFADevice } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }),
  )
  const seedText = Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString()
  const picture = Buffer.from(VirtualMFADevice?.QRCodePNG ?? []).toString('base64')
  const app = new Authenticator(seedText)
  const { AuthenticationCode1, AuthenticationCode2 } = app.pair(new Date())
  await enable(iam, { name: 'phone', app, userName: 'alice' })
  await assert.rejects(enable(iam, { name: 'phone', app, userName: 'alice' }))
  const trail = JSON.stringify(service.trail())
  assert.ok(trail.includes('"eventName":"CreateVirtualMFADevice"'))
  assert.ok(trail.includes('"virtualMFADeviceName":"phone"'))
  assert.ok(trail.includes(`"serialNumber":"${serial('phone')}"`))
  for (const secret of [seedText, picture.slice(0, 200), AuthenticationCode1, AuthenticationCode2]) {
    assert.ok(!trail.includes(`${secret}"`) && !trail.includes(`"${secret}`), 'a secret is in the trail')
  }
  for (const name of ['kms.db', 'kms.db-wal']) {
    const content = readIfThere(join(service.directory, name))
    assert.ok(!content.includes(seedText), `the seed is in ${name}`)
  }
})

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}
