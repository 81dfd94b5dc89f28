import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import { WrappingKeys } from './wrapping-keys.ts'

const newKeys = (): WrappingKeys => new WrappingKeys(pino({ level: 'silent' }))

test('whoever asks for a key waits for it, and nobody else does', async () => {
  const order: string[] = []
  const taken = newKeys()
    .take('RSA_4096')
    ?.then(({ publicKey }) => {
      order.push(`${publicKey.asymmetricKeyDetails?.modulusLength ?? 0} bits`)
    })
  await setImmediate()
  order.push('others')
  await taken
  assert.deepEqual(order, ['others', '4096 bits'])
})

test('each gets another key, ten can wait for one, and one is made ahead', async () => {
  const keys = newKeys()
  const taken = Array.from({ length: 11 }, () => keys.take('RSA_2048'))
  assert.equal(taken[10], undefined)
  const texts = taken
    .slice(0, 10)
    .map(async (key) => (await key)?.publicKey.export({ type: 'spki', format: 'pem' }))
  assert.equal(new Set(await Promise.all(texts)).size, 10)
  assert.notEqual(keys.take('RSA_2048'), undefined)
})
