import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const nonceLength = 12
const tagLength = 16

/** AES-256-GCM with a random nonce: `nonce ‖ ciphertext ‖ tag`. `belongsTo` is authenticated along with the secret. */
export function sealWith(key: Buffer, secret: Uint8Array, belongsTo: string): Buffer {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  cipher.setAAD(Buffer.from(belongsTo, 'utf8'))
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

/** The secret, which the caller zeroes; undefined when it was not sealed with this key for `belongsTo`. */
export function unsealWith(key: Buffer, sealed: Uint8Array, belongsTo: string): Buffer | undefined {
  if (sealed.length < nonceLength + tagLength) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceLength), {
    authTagLength: tagLength,
  })
  decipher.setAAD(Buffer.from(belongsTo, 'utf8'))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  const secret = decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength))
  try {
    decipher.final()
    return secret
  } catch {
    secret.fill(0)
    return undefined
  }
}
