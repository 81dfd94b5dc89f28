import { hkdf } from './hkdf.ts'

const blobKeyLength = 32
const blobNonceLength = 12
const info = Buffer.from('strongroom kms ciphertext blob 1', 'utf8')

/**
 * The 32 secret bytes behind a master key. They never leave this object: what comes out is a key for one blob.
 * A master key has one backing key per rotation; the older ones go on decrypting.
 */
export class BackingKey {
  /** 64 hexadecimal digits, public: Amazon's `KeyMaterialId`. */
  readonly id: string
  readonly #secret: Buffer
  #zeroed = false

  /** Takes over `secret` (32 bytes), which is zeroed by `zero`. */
  constructor(id: string, secret: Buffer) {
    this.id = id
    this.#secret = secret
  }

  /**
   * The AES-256 key and the nonce of the blob that carries `salt` (RFC 5869, HKDF-SHA256).
   * With a key for each blob, no number of blobs comes near the limits of random nonces under one key.
   */
  blobKey(salt: Buffer): { key: Buffer; nonce: Buffer } {
    // A blob under 32 zero bytes would be one that anybody can open.
    if (this.#zeroed) throw new Error(`the backing key ${this.id} was used after it was zeroed`)
    const derived = hkdf(this.#secret, salt, info, blobKeyLength + blobNonceLength)
    return { key: derived.subarray(0, blobKeyLength), nonce: derived.subarray(blobKeyLength) }
  }

  zero(): void {
    this.#zeroed = true
    this.#secret.fill(0)
  }
}
