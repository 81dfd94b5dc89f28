import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const nonceLength = 12
const tagLength = 16

/** Seals the secrets of the database: AES-256-GCM with a random nonce, `nonce ‖ ciphertext ‖ tag`. */
export class RootKey {
  readonly #key: Buffer

  /** Takes over `key` (32 bytes), which is zeroed by `zero`. */
  constructor(key: Buffer) {
    this.#key = key
  }

  /** `belongsTo` names the row that the secret is for, so that a sealed secret can't be moved to another row. */
  seal(secret: Uint8Array, belongsTo: string): Buffer {
    const nonce = randomBytes(nonceLength)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagLength })
    cipher.setAAD(Buffer.from(belongsTo, 'utf8'))
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  }

  /** The secret, which the caller zeroes; undefined when it was not sealed by this root key for `belongsTo`. */
  unseal(sealed: Uint8Array, belongsTo: string): Buffer | undefined {
    if (sealed.length < nonceLength + tagLength) return undefined
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, nonceLength), {
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

  zero(): void {
    this.#key.fill(0)
  }
}
