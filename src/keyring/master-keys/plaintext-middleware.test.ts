import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { cutPlaintext } from './plaintext-middleware.ts'

const answer = z.object({ KeyId: z.string(), Plaintext: z.string(), EncryptionAlgorithm: z.string() })

function bodyWith(plaintext: Uint8Array, first: boolean): Buffer {
  const Plaintext = Buffer.from(plaintext).toString('base64')
  const others = { KeyId: 'arn:aws:kms:example', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
  return Buffer.from(JSON.stringify(first ? { Plaintext, ...others } : { ...others, Plaintext }))
}

test('the plaintext is taken out, and what is left is the same answer without it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (plaintext, first) => {
      const body = bodyWith(plaintext, first)
      const length = body.length
      assert.deepEqual(cutPlaintext(body), Buffer.from(plaintext))
      assert.equal(body.length, length)
      const left = answer.parse(JSON.parse(body.toString()))
      assert.deepEqual(left, {
        KeyId: 'arn:aws:kms:example',
        Plaintext: '',
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      })
    }),
  )
})

test('no digit of it stays in the body', () => {
  const plaintext = randomBytes(32)
  const body = bodyWith(plaintext, true)
  cutPlaintext(body)
  assert.ok(!body.includes(plaintext.toString('base64').slice(0, 4)))
})

for (const body of [
  '',
  '{}',
  '{"Plaintext":"',
  '{"Plaintext":5}',
  '{"Plaintext":"a\\/b="}',
  '{"Plaintext":"***="}',
]) {
  test(`an answer without a readable plaintext is an error: ${body}`, () => {
    assert.throws(() => cutPlaintext(Buffer.from(body)), { code: 'SR_KMS_FAILED' })
  })
}
