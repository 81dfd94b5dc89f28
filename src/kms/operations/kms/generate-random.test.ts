import { GenerateRandomCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'

describe('GenerateRandom, through the AWS SDK', () => {
  test('gives as many bytes as asked for, others each time', async (t) => {
    const kms = (await startTestService(t)).kms()
    const random = async (NumberOfBytes: number): Promise<Buffer> =>
      Buffer.from((await kms.send(new GenerateRandomCommand({ NumberOfBytes }))).Plaintext ?? [])
    for (const length of [1, 2, 32, 1023, 1024]) assert.equal((await random(length)).length, length)
    const some = await Promise.all(Array.from({ length: 20 }, () => random(32)))
    assert.equal(new Set(some.map((bytes) => bytes.toString('hex'))).size, 20)
    // Each byte value is as likely: in 20,480 bytes every one of them is.
    const many = Buffer.concat(await Promise.all(Array.from({ length: 20 }, () => random(1024))))
    assert.equal(new Set(many).size, 256)
  })

  test('what it does not take', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const table: [input: object, name: string, message: RegExp][] = [
      [{}, 'ValidationException', /^NumberOfBytes is required\.$/],
      [
        { NumberOfBytes: 0 },
        'ValidationException',
        /Value '0' at 'numberOfBytes'.*greater than or equal to 1$/,
      ],
      [{ NumberOfBytes: 1025 }, 'ValidationException', /Value '1025' at 'numberOfBytes'.*equal to 1024$/],
      [{ NumberOfBytes: 1, CustomKeyStoreId: 'cks-1' }, 'UnsupportedOperationException', /CustomKeyStoreId/],
    ]
    for (const [input, name, message] of table) {
      await assert.rejects(
        kms.send(new GenerateRandomCommand(input)),
        { name, message },
        JSON.stringify(input),
      )
    }
    const bob = service.kms(await service.makeUser('bob'))
    await assert.rejects(bob.send(new GenerateRandomCommand({ NumberOfBytes: 1 })), {
      name: 'AccessDeniedException',
      message: /kms:GenerateRandom on resource: \* because no identity-based policy/,
    })
  })

  test('the trail has the number, not the bytes', async (t) => {
    const service = await startTestService(t)
    const { Plaintext } = await service.kms().send(new GenerateRandomCommand({ NumberOfBytes: 24 }))
    const record = service.trail().find(({ eventName }) => eventName === 'GenerateRandom')
    assert.deepEqual(record?.['requestParameters'], { numberOfBytes: 24 })
    assert.ok(!JSON.stringify(record).includes(Buffer.from(Plaintext ?? []).toString('base64')))
  })
})
