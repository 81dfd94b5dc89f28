import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BackingKey } from './backing-key.ts'
import { decryptBlob, encryptBlob, type EncryptionContext, parseBlob } from './ciphertext.ts'
import { AwsException } from './protocol/exceptions.ts'

const keyId = '00112233-4455-6677-8899-aabbccddeeff'
const backingKeyId = '0f'.repeat(32)
const backingKey = new BackingKey(backingKeyId, Buffer.from(Array.from({ length: 32 }, (_, i) => i)))
const contextOf = (pairs: Record<string, string>): EncryptionContext => new Map(Object.entries(pairs))
const noContext = contextOf({})

function open(blob: Buffer, context: EncryptionContext = noContext): Buffer {
  return decryptBlob(parseBlob(blob), backingKey, context)
}

function assertRefused(blob: Buffer, what: string, context: EncryptionContext = noContext): void {
  assert.throws(
    () => open(blob, context),
    (error) =>
      error instanceof AwsException &&
      error.exceptionName === 'InvalidCiphertextException' &&
      error.message === '',
    what,
  )
}

describe('ciphertext blob', () => {
  test('decrypts to what was encrypted, with the same context only', () => {
    const contexts = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
      maxLength: 5,
    })
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 4096 }),
        contexts,
        contexts,
        (bytes, pairs, others) => {
          const context: EncryptionContext = new Map(pairs)
          const blob = encryptBlob({ keyId, backingKey }, Buffer.from(bytes), context)
          assert.deepEqual(open(blob, new Map([...context].reverse())), Buffer.from(bytes))
          const other: EncryptionContext = new Map(others)
          const same =
            other.size === context.size && [...other].every(([key, value]) => context.get(key) === value)
          if (!same) assertRefused(blob, 'another context', other)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('has the frozen format', () => {
    const salt = Buffer.from(Array.from({ length: 32 }, (_, i) => 0xff - i))
    const vectors = [
      {
        plaintext: Buffer.from('00', 'hex'),
        context: noContext,
        blob: '53520100112233445566778899aabbccddeeff0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0ffffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0f2d184846acb97aac9a641d8138dbfdfb7',
      },
      {
        plaintext: Buffer.from(Array.from({ length: 32 }, (_, i) => i * 3)),
        context: contextOf({ 'strongroom:keyring': 'main', ä: '✓', a: '' }),
        blob: '53520100112233445566778899aabbccddeeff0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0ffffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0f2349c99072e9de692af6f32e3a8cae3e092eeb3e6c4729f240a59e4187c83beabf066a6cf4f73fb22a8e8b016ef8758',
      },
      {
        keyId: 'mrk-00112233445566778899aabbccddeeff',
        plaintext: Buffer.from('of several regions'),
        context: contextOf({ a: 'b' }),
        blob: '53520200112233445566778899aabbccddeeff0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0ffffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e09d51bae36e57ea81ebd85161a2e889a1bed279c67de40ac05fdf19e54d7c6ad4a71a',
      },
    ]
    for (const { keyId: id = keyId, plaintext, context, blob } of vectors) {
      assert.equal(encryptBlob({ keyId: id, backingKey, salt }, plaintext, context).toString('hex'), blob)
      assert.deepEqual(open(Buffer.from(blob, 'hex'), context), plaintext)
      assert.equal(parseBlob(Buffer.from(blob, 'hex')).keyId, id)
    }
    assert.equal(vectors.length, 3)
  })

  test('is small, and says which keys it is for', () => {
    const blob = encryptBlob({ keyId, backingKey }, Buffer.alloc(32), noContext)
    assert.equal(blob.length, 131)
    assert.equal(parseBlob(blob).keyId, keyId)
    assert.equal(parseBlob(blob).backingKeyId, backingKeyId)
  })

  test('is refused when any one of its bits is flipped', () => {
    const blob = encryptBlob({ keyId, backingKey }, Buffer.from('secret'), noContext)
    let flips = 0
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob)
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      assertRefused(flipped, `bit ${bit}`)
      flips++
    }
    assert.equal(flips, blob.length * 8)
  })

  test('is refused when it is cut short or made longer', () => {
    const blob = encryptBlob({ keyId, backingKey }, Buffer.from('secret'), noContext)
    for (let length = 0; length < blob.length; length++)
      assertRefused(blob.subarray(0, length), `${length} bytes`)
    assertRefused(Buffer.concat([blob, Buffer.alloc(1)]), 'one byte more')
  })

  test('is refused whatever bytes it consists of, unless it was made here', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 6144 }), (bytes) => {
        assertRefused(Buffer.from(bytes), 'random bytes')
        assertRefused(Buffer.concat([Buffer.from('SR\x01'), bytes]), 'random bytes behind the right magic')
      }),
      { numRuns: 200 },
    )
  })

  test('keeps the key and the value of a context pair apart', () => {
    const blob = encryptBlob({ keyId, backingKey }, Buffer.from('x'), contextOf({ a: 'bc' }))
    for (const other of [{ ab: 'c' }, { abc: '' }, { a: 'b', c: '' }, { A: 'bc' }, { a: 'bc', d: 'e' }, {}]) {
      assertRefused(blob, JSON.stringify(other), contextOf(other))
    }
  })

  test('never repeats', () => {
    const make = (): string => encryptBlob({ keyId, backingKey }, Buffer.from('x'), noContext).toString('hex')
    assert.notEqual(make(), make())
  })
})
