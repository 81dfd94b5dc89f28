import { StrongroomError } from '../errors.ts'
import type { Created } from './creation.ts'
import type { DataKey, KeyName } from './data-key.ts'
import { HeldKeys } from './held-keys.ts'
import type { Loaded, Refreshed } from './refresh.ts'
import { isAboutUnwrapping, type Trouble, undecryptedVersion } from './trouble.ts'

export interface ListedKey extends KeyName {
  /** Its ARN, as far as it is known. */
  readonly masterKey: string | undefined
  /** undefined: it is not held. */
  readonly bitLength: number | undefined
  readonly isLatest: boolean
}

/** What a keyring knows: the keys that it holds, and why others, which it may have issued, are not among them. */
export class Memory {
  /** When those keys were made that were made since we began; by the monotonic clock. */
  readonly #madeAt = new WeakMap<DataKey, number>()
  #loaded: Loaded = { manifest: undefined, held: new HeldKeys() }
  #troubles: readonly Trouble[] = []
  #wasWhole = false

  get loaded(): Loaded {
    return this.#loaded
  }

  get troubles(): readonly Trouble[] {
    return this.#troubles
  }

  /** Whether every stored key is held and nothing is wrong with the store. */
  get isWhole(): boolean {
    return this.#wasWhole && this.#troubles.length === 0
  }

  /** Whether it ever was. */
  get wasWhole(): boolean {
    return this.#wasWhole
  }

  /** Whether nothing is wrong but that the KMS, or the way to it, can't be used, or that it may be another KMS. */
  get waitsForKms(): boolean {
    return this.#troubles.every(({ error }) => isAboutUnwrapping(error))
  }

  latest(keyId: number): DataKey | undefined {
    return this.#loaded.held.latest(keyId)
  }

  held(keyId: number, version: number): DataKey | undefined {
    return this.#loaded.held.get(keyId, version)
  }

  /** 0: none was. */
  latestIssued(keyId: number): number {
    return this.#loaded.held.latestIssued(keyId)
  }

  madeAt(key: DataKey): number | undefined {
    return this.#madeAt.get(key)
  }

  /** What a look at the store found. */
  take({ manifest, held, pending, troubles }: Refreshed): void {
    this.#loaded = { manifest, held, pending }
    this.#troubles = troubles
    if (troubles.length === 0) this.#wasWhole = true
  }

  /** The store could not be looked at. */
  takeFailure(error: StrongroomError): void {
    this.#troubles = [{ name: undefined, error }]
  }

  /** A key that was made just now. */
  add({ manifest, unwrapped }: Created): void {
    this.#loaded = { ...this.#loaded, manifest }
    this.#madeAt.set(unwrapped.key, performance.now())
    this.#loaded.held.add(unwrapped.key)
  }

  /** Zeroes every key. */
  drop(): void {
    this.#loaded.held.drop()
    this.#loaded.pending?.held.drop()
  }

  /** Every version that was issued, held or not. Throws where the store as a whole is not known. */
  listKeys(): ListedKey[] {
    this.#refuseIfStoreUnknown()
    return (this.#loaded.manifest?.keys ?? []).map(({ keyId, version, masterKey }) => ({
      keyId,
      version,
      masterKey,
      bitLength: this.held(keyId, version)?.bitLength,
      isLatest: version === this.latestIssued(keyId),
    }))
  }

  /** Throws why a version that was issued, or may have been, is not held. */
  refuseIfIssued(keyId: number, version: number): void {
    const own = this.#troubles.find(({ name }) => name?.keyId === keyId && name.version === version)
    if (own !== undefined) throw own.error
    this.#refuseIfStoreUnknown()
    if (this.#loaded.held.isIssued({ keyId, version })) {
      throw new StrongroomError(
        'SR_KEY_FILE_MISSING',
        `key ${keyId}, version ${version} was issued and is not held`,
      )
    }
  }

  /** Whether a version of that id lies in the store and can't be loaded. */
  isInTrouble(keyId: number): boolean {
    return this.#troubles.some(({ name }) => name?.keyId === keyId)
  }

  /** The version of an id (the latest, if none is named) that lies in the store and that the KMS did not unwrap. */
  undecrypted(keyId: number, version?: number): number | undefined {
    return undecryptedVersion(this.#troubles, keyId, version)
  }

  /** Where the store as a whole is not known, nothing can be called absent. */
  #refuseIfStoreUnknown(): void {
    const trouble = this.#troubles.find(({ name }) => name === undefined)
    if (trouble !== undefined) throw trouble.error
    if (!this.#wasWhole && this.#loaded.manifest === undefined && this.#troubles[0] !== undefined) {
      throw this.#troubles[0].error
    }
  }
}
