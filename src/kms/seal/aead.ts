import { randomBytes } from 'node:crypto'
import { gcmOpen, gcmSeal } from '../aes-gcm.ts'

const nonceLength = 12

/** AES-256-GCM with a random nonce: `nonce ‖ ciphertext ‖ tag`. `belongsTo` is authenticated along with the secret. */
export function sealWith(key: Buffer, secret: Uint8Array, belongsTo: string): Buffer {
  const nonce = randomBytes(nonceLength)
  return Buffer.concat([nonce, gcmSeal({ key, nonce }, secret, Buffer.from(belongsTo, 'utf8'))])
}

/** The secret, which the caller zeroes; undefined when it was not sealed with this key for `belongsTo`. */
export function unsealWith(key: Buffer, sealed: Uint8Array, belongsTo: string): Buffer | undefined {
  const nonce = sealed.subarray(0, nonceLength)
  return gcmOpen({ key, nonce }, sealed.subarray(nonceLength), Buffer.from(belongsTo, 'utf8'))
}
