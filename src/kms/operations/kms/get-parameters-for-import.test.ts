import { GetParametersForImportCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { newKey } from '../../../../test/support/kms-keys.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { type WrappingKey, WrappingKeys } from '../../wrapping-keys.ts'

const options = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const

async function fixture(t: TestContext) {
  const kms = (await startTestService(t)).kms()
  const { id: KeyId } = await newKey(kms, { Origin: 'EXTERNAL' })
  return { kms, KeyId, ask: () => kms.send(new GetParametersForImportCommand({ KeyId, ...options })) }
}

test('a key that began to wait for its deletion while a wrapping key was made gets no parameters', async (t) => {
  const { kms, KeyId, ask } = await fixture(t)
  const made = Promise.withResolvers<WrappingKey>()
  const asked = Promise.withResolvers<undefined>()
  t.mock.method(WrappingKeys.prototype, 'take', () => {
    asked.resolve(undefined)
    return made.promise
  })
  const answer = assert.rejects(ask(), { name: 'KMSInvalidStateException' })
  await asked.promise
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
  made.resolve(generateKeyPairSync('rsa', { modulusLength: 2048 }))
  await answer
})

test('who would wait too long is told to come again', async (t) => {
  const { ask } = await fixture(t)
  t.mock.method(WrappingKeys.prototype, 'take', () => undefined)
  await assert.rejects(ask(), { name: 'ThrottlingException' })
})
