import type { MasterKey } from './master-key.ts'
import type { Store } from './store.ts'

/** The two places that a keyring's keys come from: the store has them wrapped, the master key unwraps them. */
export interface Sources {
  readonly store: Store
  readonly masterKey: MasterKey
  /** The id that the keyring's manifest must have, because the master key's policy names it; undefined: any. */
  readonly keyringId?: string | undefined
}
