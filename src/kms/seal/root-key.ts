import { createHmac, timingSafeEqual } from 'node:crypto'
import { hkdf } from '../hkdf.ts'
import { sealWith, unsealWith } from './aead.ts'

/** Seals the secrets of the database, and tags what in it is no secret but must not be altered. */
export class RootKey {
  readonly #key: Buffer
  readonly #tagKey: Buffer

  /** Takes over `key` (32 bytes), which is zeroed by `zero`. */
  constructor(key: Buffer) {
    this.#key = key
    this.#tagKey = this.derive('strongroom kms: tags of rows')
  }

  /** `belongsTo` names the row that the secret is for, so that a sealed secret can't be moved to another row. */
  seal(secret: Uint8Array, belongsTo: string): Buffer {
    return sealWith(this.#key, secret, belongsTo)
  }

  /** The secret, which the caller zeroes; undefined when it was not sealed by this root key for `belongsTo`. */
  unseal(sealed: Uint8Array, belongsTo: string): Buffer | undefined {
    return unsealWith(this.#key, sealed, belongsTo)
  }

  /**
   * 32 bytes that only who has the root key can make: they prove that `content` is what was stored for `belongsTo`
   * (HMAC-SHA256 by a key of its own). They do not tell whether it is the newest that was stored.
   */
  tag(belongsTo: string, content: Uint8Array): Buffer {
    // With its length before it, no part of the name can pass for content.
    const name = Buffer.from(belongsTo, 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(name.length)
    return createHmac('sha256', this.#tagKey).update(length).update(name).update(content).digest()
  }

  isTag(tag: Uint8Array, belongsTo: string, content: Uint8Array): boolean {
    const right = this.tag(belongsTo, content)
    return tag.length === right.length && timingSafeEqual(tag, right)
  }

  /**
   * 32 bytes for one purpose, which `info` names: always the same, and of no use for finding the root key or what was
   * derived for another purpose (HKDF, RFC 5869). The caller zeroes them.
   */
  derive(info: string): Buffer {
    return hkdf(this.#key, Buffer.alloc(0), Buffer.from(info, 'utf8'), 32)
  }

  /** The 32 bytes, for a seal to wrap. The caller zeroes them. */
  copy(): Buffer {
    return Buffer.from(this.#key)
  }

  zero(): void {
    this.#key.fill(0)
    this.#tagKey.fill(0)
  }
}
