import type { StrongroomError } from '../errors.ts'
import type { KeyName } from './data-key.ts'
import type { Manifest } from './manifest.ts'
import type { WrappedKey } from './wrapped-key.ts'

/** Everything of a keyring that lies in its store at one moment. */
export interface StoreContents {
  /** undefined: there is none. */
  readonly manifest: Manifest | undefined
  readonly wrappedKeys: readonly WrappedKey[]
  /** Keys whose names are there but whose bytes can't be had. */
  readonly unreadable: readonly (KeyName & { readonly error: StrongroomError })[]
}

/**
 * Where the wrapped keys of one keyring lie. What a promise has resolved for is durable: it survives the loss
 * of power. Nothing that lies there is ever overwritten but the manifest, and that only as a whole.
 */
export interface Store {
  /** For messages: where the store is. */
  readonly location: string
  /** For messages: where the key of that name lies, or would. */
  locationOf(name: KeyName): string
  /** Throws SR_STORE_UNREADABLE, or SR_MANIFEST_INVALID. An unfinished write never shows. */
  read(): Promise<StoreContents>
  /** As `read`, and nothing is mended or made durable. */
  look(): Promise<StoreContents>
  /** One key as it lies there now. Throws SR_STORE_UNREADABLE. */
  readKey(name: KeyName): Promise<Buffer>
  /** Throws SR_KEY_FILE_EXISTS where the key is there already, SR_STORE_WRITE_FAILED; then nothing was changed. */
  writeKey(key: WrappedKey): Promise<void>
  /** The first manifest of a store. Throws SR_STORE_WRITE_FAILED, also where there is one already. */
  createManifest(manifest: Manifest): Promise<void>
  /** Throws SR_STORE_CHANGED unless the manifest that lies there says what this one says. */
  requireManifest(manifest: Manifest): Promise<void>
  /**
   * Puts a manifest in the place of `former`, in one step. Throws SR_STORE_CHANGED where another lies there by now, and
   * SR_STORE_WRITE_FAILED; what was there is still there then, unless its replacement is what could not be made durable.
   */
  replaceManifest(manifest: Manifest, former: Manifest): Promise<void>
  /** Whether a database already has data here, so that keys must have existed (rule K7). */
  holdsData(): Promise<boolean>
  /** A cheap mark that differs once keys or manifest came, went or were replaced; undefined while it can't be told. */
  changeMark(): Promise<string | undefined>
}
