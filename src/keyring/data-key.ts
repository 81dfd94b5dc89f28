import { timingSafeEqual } from 'node:crypto'

/** Names a data key: MariaDB's key id and the version of it. */
export interface KeyName {
  /** 1 to 4294967295. */
  readonly keyId: number
  /** 1 to 4294967293; MariaDB reserves the two numbers above (`mysql/plugin_encryption.h`). */
  readonly version: number
}

export const maxKeyId = 4294967295
export const maxVersion = 4294967293

export type KeySpec = 'AES_128' | 'AES_256'

/** Bytes of a data key of that spec. */
export function keyLength(spec: KeySpec): 16 | 32 {
  return spec === 'AES_256' ? 32 : 16
}

/**
 * A buffer for secrets. V8 keeps small typed arrays on its heap and copies them about there, leaving the former copies
 * behind; what has an ArrayBuffer of its own stays where it is until it is zeroed.
 */
export function secretBuffer(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(length))
}

/** A plaintext data key in memory. Whoever derives something from its bytes zeroes that in `whenDropped`. */
export class DataKey implements KeyName {
  readonly keyId: number
  readonly version: number
  readonly #bytes: Buffer
  readonly #dropped: (() => void)[] = []

  /** Takes the bytes over: they are copied out of any shared pool and zeroed where they were. */
  constructor(name: KeyName, bytes: Uint8Array) {
    this.keyId = name.keyId
    this.version = name.version
    this.#bytes = secretBuffer(bytes.length)
    this.#bytes.set(bytes)
    bytes.fill(0)
  }

  get bitLength(): number {
    return this.#bytes.length * 8
  }

  /** Lends the bytes for the length of the call; they are not to be kept. */
  lend<T>(use: (bytes: Buffer) => T): T {
    return use(this.#bytes)
  }

  hasSameBytesAs(other: DataKey): boolean {
    return this.#bytes.length === other.#bytes.length && timingSafeEqual(this.#bytes, other.#bytes)
  }

  whenDropped(act: () => void): void {
    this.#dropped.push(act)
  }

  /** Zeroes the key and all that was derived from it. */
  drop(): void {
    this.#bytes.fill(0)
    for (const act of this.#dropped.splice(0)) act()
  }
}
