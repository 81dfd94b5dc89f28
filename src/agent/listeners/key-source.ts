import type { DataKey, KeyName } from '../../keyring/data-key.ts'
import type { KeyringWatcher } from '../../keyring/watchers.ts'

/** The part of a keyring that a listener serves from. */
export interface KeySource {
  /** From memory alone. */
  latest(keyId: number): DataKey | undefined
  /** From memory alone. */
  held(keyId: number, version: number): DataKey | undefined
  /** undefined: there is no such key. Throws where there may be, and it can't be had now. */
  obtain(keyId: number, version: number): Promise<DataKey | undefined>
  /** As `obtain`; creates the id's first version where the creation rule allows it. */
  obtainLatest(keyId: number): Promise<DataKey | undefined>
}

/** The same for a listener that also tells its clients what happens, and rotates for them; `Keyring` explains each. */
export interface WatchedKeySource extends KeySource {
  readonly id: string | undefined
  watch(watcher: KeyringWatcher): () => void
  madeAt(key: DataKey): number | undefined
  undecrypted(keyId: number, version?: number): number | undefined
  whyNotMade(keyId: number): string | undefined
  /** Throws where the store as a whole is not known. */
  listKeys(): readonly KeyName[]
  rotate(keyId: number): Promise<DataKey>
}
