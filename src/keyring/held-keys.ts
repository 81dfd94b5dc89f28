import { type DataKey, type KeyName } from './data-key.ts'

/** The data keys in memory, and which version of each id was issued last. */
export class HeldKeys {
  readonly #keys = new Map<number, Map<number, DataKey>>()
  readonly #latestIssued = new Map<number, number>()

  get(keyId: number, version: number): DataKey | undefined {
    return this.#keys.get(keyId)?.get(version)
  }

  /** The version issued last; undefined where it is not held, for an older one in its place would be a lie. */
  latest(keyId: number): DataKey | undefined {
    const version = this.#latestIssued.get(keyId)
    return version === undefined ? undefined : this.get(keyId, version)
  }

  isIssued({ keyId, version }: KeyName): boolean {
    return version <= this.latestIssued(keyId)
  }

  /** 0: none was. */
  latestIssued(keyId: number): number {
    return this.#latestIssued.get(keyId) ?? 0
  }

  markIssued({ keyId, version }: KeyName): void {
    this.#latestIssued.set(keyId, Math.max(version, this.latestIssued(keyId)))
  }

  add(key: DataKey): void {
    const versions = this.#keys.get(key.keyId) ?? new Map<number, DataKey>()
    this.#keys.set(key.keyId, versions.set(key.version, key))
    this.markIssued(key)
  }

  *[Symbol.iterator](): IterableIterator<DataKey> {
    for (const versions of this.#keys.values()) yield* versions.values()
  }

  /** Zeroes and forgets every key. */
  drop(): void {
    for (const key of this) key.drop()
    this.#keys.clear()
    this.#latestIssued.clear()
  }
}
