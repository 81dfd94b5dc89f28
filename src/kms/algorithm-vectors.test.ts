import assert from 'node:assert/strict'
import { argon2Sync, createPrivateKey, generateKeyPairSync, publicEncrypt, constants } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { gcmOpen, gcmSeal } from './aes-gcm.ts'
import { hkdf } from './hkdf.ts'
import { unwrapAes, unwrapKeyMaterial, unwrapRsaOaep } from './key-wrapping.ts'

const invalid = { exceptionName: 'InvalidCiphertextException', message: '' }
const hex = z
  .string()
  .regex(/^([0-9a-f]{2})*$/i)
  .transform((text) => Buffer.from(text, 'hex'))

function read<T>(name: string, schema: z.ZodType<T>): T {
  const file = new URL(`../../test/vectors/kms-algorithms/${name}.json`, import.meta.url)
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')))
}

describe('published test vectors', () => {
  test('AES-256-GCM, NIST', () => {
    const vector = z.object({
      ...{ key: hex, nonce: hex, additional: hex, sealed: hex },
      plaintext: hex.nullable(),
    })
    const { vectors } = read('aes-256-gcm', z.object({ vectors: z.array(vector) }))
    let opened = 0
    for (const { key, nonce, additional, sealed, plaintext } of vectors) {
      const found = gcmOpen({ key, nonce }, sealed, additional)
      assert.deepEqual(found, plaintext ?? undefined)
      if (plaintext === null) continue
      assert.deepEqual(gcmSeal({ key, nonce }, plaintext, additional), sealed)
      opened++
    }
    assert.deepEqual([vectors.length, opened], [150, 100])
  })

  test('HKDF-SHA256, RFC 5869', () => {
    const vector = z.object({ secret: hex, salt: hex, info: hex, derived: hex, length: z.number() })
    const { vectors } = read('hkdf-sha256', z.object({ vectors: z.array(vector) }))
    for (const { secret, salt, info, length, derived } of vectors) {
      assert.deepEqual(hkdf(secret, salt, info, length), derived)
    }
    assert.equal(vectors.length, 3)
  })

  test('Argon2id, RFC 9106, section 5.3: what the passphrase seal asks Node.js for', () => {
    const tag = argon2Sync('argon2id', {
      message: Buffer.alloc(32, 1),
      nonce: Buffer.alloc(16, 2),
      secret: Buffer.alloc(8, 3),
      associatedData: Buffer.alloc(12, 4),
      parallelism: 4,
      tagLength: 32,
      memory: 32,
      passes: 3,
    })
    assert.equal(tag.toString('hex'), '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659')
  })

  test('AES key wrap with padding, NIST', () => {
    const vector = z.object({ key: hex, wrapped: hex, plaintext: hex.nullable() })
    const { vectors } = read('aes-kwp', z.object({ vectors: z.array(vector) }))
    let unwrapped = 0
    for (const { key, wrapped, plaintext } of vectors) {
      if (plaintext === null) {
        assert.throws(() => unwrapAes(wrapped, key), invalid)
        continue
      }
      assert.deepEqual(unwrapAes(wrapped, key), plaintext)
      unwrapped++
    }
    assert.deepEqual([vectors.length, unwrapped], [180, 90])
  })

  test('RSAES-OAEP with SHA-1 and SHA-256', () => {
    const key = z.object({
      hash: z.enum(['sha1', 'sha256']),
      jwk: z.record(z.string(), z.string()),
      vectors: z.array(z.object({ plaintext: hex, wrapped: hex })),
    })
    const { keys } = read('rsa-oaep', z.object({ keys: z.array(key) }))
    const unwrapped = { sha1: 0, sha256: 0 }
    for (const { hash, jwk, vectors } of keys) {
      const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
      const other = hash === 'sha1' ? 'sha256' : 'sha1'
      for (const { plaintext, wrapped } of vectors) {
        assert.deepEqual(unwrapRsaOaep(wrapped, privateKey, hash), plaintext)
        assert.throws(() => unwrapRsaOaep(wrapped, privateKey, other), invalid)
        unwrapped[hash]++
      }
    }
    assert.deepEqual(unwrapped, { sha1: 60, sha256: 60 })
  })
})

test('what was wrapped in another way is refused, with the same error', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const der = privateKey.export({ format: 'der', type: 'pkcs8' })
  const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING }
  const material = Buffer.alloc(32, 7)
  const wrongly = [
    publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, material),
    publicEncrypt({ key: publicKey, ...oaep, oaepHash: 'sha1' }, material),
    publicEncrypt({ key: publicKey, ...oaep, oaepHash: 'sha256', oaepLabel: Buffer.from('x') }, material),
    Buffer.alloc(256),
    Buffer.alloc(1),
    // The AES key is no AES key, or nothing comes after it.
    publicEncrypt({ key: publicKey, ...oaep, oaepHash: 'sha256' }, Buffer.alloc(31)),
  ]
  for (const [index, wrapped] of wrongly.entries()) {
    const algorithm = index < 5 ? 'RSAES_OAEP_SHA_256' : 'RSA_AES_KEY_WRAP_SHA_256'
    assert.throws(() => unwrapKeyMaterial(wrapped, der, algorithm), invalid, String(index))
  }
})
