import { constants, createDecipheriv, createPrivateKey, type KeyObject, privateDecrypt } from 'node:crypto'
import { invalidCiphertext } from './protocol/exceptions.ts'

/**
 * How key material is encrypted on its way here.
 * https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html
 */
export const wrappingAlgorithms = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const

export type WrappingAlgorithm = (typeof wrappingAlgorithms)[number]

/** The alternative initial value of RFC 5649. */
const keyWrapIv = Buffer.from('a65959a6', 'hex')

/**
 * The key material, which the caller zeroes. `privateKey` is PKCS #8. Throws InvalidCiphertextException, the same for
 * every way in which it can be wrong.
 */
export function unwrapKeyMaterial(wrapped: Buffer, privateKey: Buffer, algorithm: WrappingAlgorithm): Buffer {
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  const hash = algorithm.endsWith('_SHA_1') ? 'sha1' : 'sha256'
  if (algorithm.startsWith('RSAES_')) return unwrapRsaOaep(wrapped, key, hash)
  const modulusLength = wrappedKeyLength(key)
  const aesKey = unwrapRsaOaep(wrapped.subarray(0, modulusLength), key, hash)
  try {
    return unwrapAes(wrapped.subarray(modulusLength), aesKey)
  } finally {
    aesKey.fill(0)
  }
}

/** RFC 8017, 7.1.2, with MGF1 of the same hash and an empty label. */
export function unwrapRsaOaep(wrapped: Buffer, key: KeyObject, hash: 'sha1' | 'sha256'): Buffer {
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, wrapped)
  } catch {
    throw invalidCiphertext('the wrapped key material cannot be decrypted with the wrapping key')
  }
}

/** AES key wrap with padding, RFC 5649; the key has 16, 24 or 32 bytes. */
export function unwrapAes(wrapped: Buffer, aesKey: Buffer): Buffer {
  let unwrapped: Buffer | undefined
  try {
    const decipher = createDecipheriv(`id-aes${aesKey.length * 8}-wrap-pad`, aesKey, keyWrapIv)
    unwrapped = decipher.update(wrapped)
    return Buffer.concat([unwrapped, decipher.final()])
  } catch {
    throw invalidCiphertext('the wrapped key material is damaged, or was wrapped with another AES key')
  } finally {
    unwrapped?.fill(0)
  }
}

/** In bytes, of what one RSA key encrypts. */
export function wrappedKeyLength(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
}
