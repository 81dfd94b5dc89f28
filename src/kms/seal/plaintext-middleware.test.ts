import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { cutPlaintext } from './plaintext-middleware.ts'

test('a plaintext of any length is cut out of an answer, and an empty one is left in it', () => {
  for (let length = 0; length <= 70; length += 1) {
    const plaintext = randomBytes(length)
    const body = Buffer.from(JSON.stringify({ KeyId: 'k', Plaintext: plaintext.toString('base64'), More: 1 }))
    assert.deepEqual(cutPlaintext(body), plaintext, `${length} bytes`)
    assert.deepEqual(JSON.parse(body.toString()), { KeyId: 'k', Plaintext: '', More: 1 })
  }
})

test('an answer without a plaintext is refused', () => {
  for (const body of ['', '{}', '{"Plaintext":null}', '{"Plaintext":"AAAA']) {
    assert.throws(() => cutPlaintext(Buffer.from(body)), /holds no plaintext/, body)
  }
})
