import type { DataKey } from '../../keyring/data-key.ts'

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
