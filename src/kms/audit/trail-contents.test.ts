import { CreateAccessKeyCommand, CreateUserCommand } from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { appendFileSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { startTestService, type TestService } from '../../../test/support/kms-service.ts'

async function startLogging(t: TestContext): Promise<{ service: TestService; log: () => string }> {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) })
  return { service: await startTestService(t, { log }), log: () => lines.join('') }
}

describe('the audit trail', () => {
  test('says what was made, and never a secret', async (t) => {
    const service = await startTestService(t)
    const [kms, iam] = [service.kms(), service.iam()]
    const { User } = await iam.send(new CreateUserCommand({ UserName: 'mariadb', Path: '/db/' }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'mariadb' }))
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    await kms.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }))
    await assert.rejects(iam.send(new CreateUserCommand({ UserName: 'mariadb' })))
    assert.deepEqual(
      service.trail().map((record) => record['responseElements']),
      [
        {
          user: {
            arn: 'arn:aws:iam::111122223333:user/db/mariadb',
            userId: User?.UserId,
            userName: 'mariadb',
            path: '/db/',
          },
        },
        {
          accessKey: {
            userName: 'mariadb',
            accessKeyId: AccessKey?.AccessKeyId,
            status: 'Active',
          },
        },
        { keyMetadata: { keyId: KeyMetadata?.KeyId, arn: KeyMetadata?.Arn } },
        null,
        null,
      ],
    )
    assert.equal(JSON.stringify(service.trail()).includes(AccessKey?.SecretAccessKey ?? assert.fail()), false)
  })

  test('bounds what a signed request leaves in it', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    await assert.rejects(kms.send(new CreateKeyCommand({ Policy: 'x'.repeat(131_072) })))
    const [record] = service.trail()
    assert.ok(JSON.stringify(record).length < 40_000)
    assert.match(JSON.stringify(record), /x…"/)
  })

  test('that was moved, removed or damaged while the service runs is missed at once', async (t) => {
    const table: [what: string, damage: (path: string) => void][] = [
      ['removed', rmSync],
      [
        'moved',
        (path) => {
          renameSync(path, `${path}.1`)
        },
      ],
      ['cut short', truncateSync],
      [
        'written to',
        (path) => {
          appendFileSync(path, '{}\n')
        },
      ],
    ]
    for (const [what, damage] of table) {
      const { service, log } = await startLogging(t)
      const kms = service.kms()
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      damage(join(service.directory, 'audit-trail.jsonl'))
      const refused = { name: 'KMSInternalException' }
      await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId })), refused, what)
      await assert.rejects(kms.send(new CreateKeyCommand({})), refused, what)
      assert.match(
        log(),
        /"level":50.*the audit trail .* while the service runs: stop the service, .*start it again/,
      )
      await service.reopen()
      // Nothing was done without a record.
      const { Keys } = await service.kms().send(new ListKeysCommand({}))
      assert.equal(Keys?.length, 1, what)
    }
    assert.equal(table.length, 4)
  })
})

test('the log says at info why a blob or a caller was refused, and no secret', async (t) => {
  const { service, log } = await startLogging(t)
  const kms = service.kms()
  const [{ KeyMetadata: key }, { KeyMetadata: other }] = [
    await kms.send(new CreateKeyCommand({})),
    await kms.send(new CreateKeyCommand({})),
  ]
  const Plaintext = Buffer.from('a very secret plaintext')
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: key?.KeyId, Plaintext, EncryptionContext: { a: 'b' } }),
  )
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })))
  assert.match(
    log(),
    new RegExp(`"level":30.*InvalidCiphertextException.*encryption context.*${key?.KeyId ?? ''}`),
  )
  await assert.rejects(
    kms.send(new DecryptCommand({ CiphertextBlob: Buffer.alloc(200), KeyId: other?.KeyId })),
  )
  assert.match(log(), /"level":30.*not made by this service/)
  await service.iam().send(new CreateUserCommand({ UserName: 'a' }))
  const { AccessKey } = await service.iam().send(new CreateAccessKeyCommand({ UserName: 'a' }))
  const user = {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  }
  assert.notEqual(user.secretAccessKey, '')
  await assert.rejects(service.kms(user).send(new DecryptCommand({ CiphertextBlob })))
  assert.match(
    log(),
    /"level":30.*AccessDeniedException.*no identity-based policy allows the kms:Decrypt action.*user\/a"/,
  )
  for (const secret of [Plaintext.toString(), Plaintext.toString('base64'), user.secretAccessKey]) {
    assert.equal(log().includes(secret), false)
  }
})

test('a plaintext is zeroed, whether it was encrypted or the request refused', async (t) => {
  const service = await startTestService(t)
  const kms = service.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const Plaintext = Buffer.from('a very secret plaintext')
  const decoded: Buffer[] = []
  const from = Buffer.from.bind(Buffer)
  t.mock.method(Buffer, 'from', (...args: Parameters<typeof from>) => {
    const bytes = from(...args)
    if (args.includes('base64')) decoded.push(bytes)
    return bytes
  })
  const commands = [
    new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext }),
    new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext, DryRun: true }),
    new EncryptCommand({ KeyId: 'alias/none', Plaintext }),
    new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext, EncryptionAlgorithm: 'SM2PKE' }),
    new EncryptCommand({ KeyId: '', Plaintext }),
    new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.alloc(5000, 'a') }),
  ]
  const settled = await Promise.allSettled(commands.map((command) => kms.send(command)))
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
  const plaintexts = decoded.filter(({ length }) => length === Plaintext.length || length === 5000)
  assert.ok(plaintexts.length >= commands.length)
  assert.ok(plaintexts.every((bytes) => bytes.every((byte) => byte === 0)))
})
