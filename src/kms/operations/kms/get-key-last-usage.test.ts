import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyLastUsageCommand,
  type GetKeyLastUsageCommandOutput,
  KMSClient,
  ReEncryptCommand,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'

const Plaintext = Buffer.from('x')

async function newKey(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.KeyId ?? assert.fail('no key id')
}

function lastUsage(kms: KMSClient, KeyId: string): Promise<GetKeyLastUsageCommandOutput> {
  return kms.send(new GetKeyLastUsageCommand({ KeyId }))
}

describe('GetKeyLastUsage, through the AWS SDK', () => {
  test('a key that was never used', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId ?? ''
    await kms.send(new DescribeKeyCommand({ KeyId }))
    const { $metadata, ...answer } = await lastUsage(kms, KeyMetadata?.Arn ?? '')
    assert.equal($metadata.httpStatusCode, 200)
    assert.deepEqual(answer, {
      KeyId,
      KeyLastUsage: {},
      KeyCreationDate: KeyMetadata?.CreationDate,
      TrackingStartDate: KeyMetadata?.CreationDate,
    })
  })

  test('each cryptographic operation counts at once, and with the ids by which it is found again', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const [KeyId, other] = [await newKey(kms), await newKey(kms)]
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const calls: [name: string, call: () => Promise<{ $metadata: { requestId?: string | undefined } }>][] = [
      ['Encrypt', () => kms.send(new EncryptCommand({ KeyId, Plaintext }))],
      ['Decrypt', () => kms.send(new DecryptCommand({ CiphertextBlob }))],
      ['GenerateDataKey', () => kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))],
      [
        'GenerateDataKeyWithoutPlaintext',
        () => kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
      ],
      ['ReEncrypt', () => kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: other }))],
    ]
    for (const [name, call] of calls) {
      const { $metadata } = await call()
      const { KeyLastUsage: use } = await lastUsage(kms, KeyId)
      assert.equal(use?.Operation, name)
      assert.equal(use.KmsRequestId, $metadata.requestId)
      assert.ok(Math.abs((use.Timestamp?.getTime() ?? 0) - Date.now()) < 60_000)
      const record = service.trail().find(({ requestID }) => requestID === $metadata.requestId)
      assert.equal(use.CloudTrailEventId, record?.['eventID'] ?? assert.fail('no record'))
    }
    const [source, destination] = [await lastUsage(kms, KeyId), await lastUsage(kms, other)]
    assert.deepEqual(destination.KeyLastUsage, source.KeyLastUsage)
  })

  test('what fails does not count', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const [KeyId, other] = [await newKey(kms), await newKey(kms)]
    const { CiphertextBlob, $metadata } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const bob = service.kms(await service.makeUser('bob'))
    const failing = [
      () => kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun: true })),
      () => kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: '1' } })),
      () => kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other })),
      () => kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: other, DryRun: true })),
      () => bob.send(new DecryptCommand({ CiphertextBlob })),
    ]
    for (const call of failing) await assert.rejects(call())
    assert.equal((await lastUsage(kms, KeyId)).KeyLastUsage?.KmsRequestId, $metadata.requestId)
    assert.deepEqual((await lastUsage(kms, other)).KeyLastUsage, {})
  })

  test('the related keys of other regions are used by themselves', async (t) => {
    const service = await startTestService(t, { regions: ['us-east-1', 'eu-west-1'] })
    const kms = service.kms()
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }))
    const KeyId = KeyMetadata?.KeyId ?? ''
    await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
    await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    assert.equal((await lastUsage(kms, KeyId)).KeyLastUsage?.Operation, 'Encrypt')
    const there = new KMSClient({ ...service.clientConfig(), region: 'eu-west-1' })
    assert.deepEqual((await lastUsage(there, KeyId)).KeyLastUsage, {})
    await there.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
    assert.equal((await lastUsage(there, KeyId)).KeyLastUsage?.Operation, 'GenerateDataKey')
    assert.equal((await lastUsage(kms, KeyId)).KeyLastUsage?.Operation, 'Encrypt')
  })

  test('it is stored when the service closes, and needs permission', async (t) => {
    const service = await startTestService(t)
    const KeyId = await newKey(service.kms())
    const { CiphertextBlob } = await service.kms().send(new EncryptCommand({ KeyId, Plaintext }))
    await service.kms().send(new DecryptCommand({ CiphertextBlob }))
    const before = (await lastUsage(service.kms(), KeyId)).KeyLastUsage
    await service.reopen()
    const after = (await lastUsage(service.kms(), KeyId)).KeyLastUsage
    assert.deepEqual(after, before)
    assert.equal(after?.Operation, 'Decrypt')
    // The newest, whether it is stored or not.
    await service.kms().send(new EncryptCommand({ KeyId, Plaintext }))
    const later = (await lastUsage(service.kms(), KeyId)).KeyLastUsage
    assert.equal(later?.Operation, 'Encrypt')
    await service.reopen()
    assert.deepEqual((await lastUsage(service.kms(), KeyId)).KeyLastUsage, later)
    const bob = service.kms(await service.makeUser('bob'))
    await assert.rejects(lastUsage(bob, KeyId), {
      name: 'AccessDeniedException',
      message: /kms:GetKeyLastUsage/,
    })
  })

  test('of a key from before uses were recorded it says since when they are', async (t) => {
    const service = await startTestService(t)
    const KeyId = await newKey(service.kms())
    const since = Date.now() + 3_600_000
    await service.reopen(() => {
      const database = new DatabaseSync(join(service.directory, 'kms.db'))
      database.exec(`UPDATE service SET key_usage_since = ${since}`)
      database.close()
    })
    const { TrackingStartDate, KeyCreationDate } = await lastUsage(service.kms(), KeyId)
    assert.equal(TrackingStartDate?.getTime(), since)
    assert.ok((KeyCreationDate?.getTime() ?? since) < since)
  })
})
