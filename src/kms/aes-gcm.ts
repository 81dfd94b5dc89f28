import { createCipheriv, createDecipheriv } from 'node:crypto'

const tagLength = 16

/** A key of 32 bytes and a nonce of 12 that is never used twice with it. */
export interface GcmKey {
  readonly key: Buffer
  readonly nonce: Uint8Array
}

/** AES-256-GCM (NIST SP 800-38D): ciphertext ‖ tag. `additional` is authenticated along with the plaintext. */
export function gcmSeal({ key, nonce }: GcmKey, plaintext: Uint8Array, additional: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  cipher.setAAD(additional)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The plaintext, which the caller zeroes; undefined when any bit is other than it was sealed. */
export function gcmOpen(
  { key, nonce }: GcmKey,
  sealed: Uint8Array,
  additional: Uint8Array,
): Buffer | undefined {
  if (sealed.length < tagLength) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  decipher.setAAD(additional)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - tagLength))
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    return undefined
  }
}
