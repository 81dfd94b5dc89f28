import { StrongroomError } from '../errors.ts'
import type { KeyName, KeySpec } from './data-key.ts'
import { contextFor, type Manifest, newManifest, withIssued } from './manifest.ts'
import type { Loaded } from './refresh.ts'
import type { Sources } from './sources.ts'
import type { Store, StoreContents } from './store.ts'
import { type StoredKey, survey } from './survey.ts'
import { missingKeyring, requireKeyringId } from './trouble.ts'
import { type UnwrappedKey, unwrapOne } from './unwrapping.ts'
import { keyFileName } from './wrapped-key.ts'

export interface Created {
  readonly manifest: Manifest
  readonly unwrapped: UnwrappedKey
}

export interface CreationOptions {
  readonly keySpec: KeySpec
  /** Of a keyring that begins. */
  readonly encryptionContext: Manifest['encryptionContext']
  /** The operator says that the database which lies there was never encrypted. */
  readonly firstForExistingData?: boolean
}

/**
 * Makes a new data key (rules K1 and K7). What it returns may be served: the KMS has unwrapped the very bytes that
 * lie in the store, and the manifest there lists them. On an error nothing was replaced; a key file that was
 * written before the error is adopted by the next refresh.
 */
export async function createKey(
  name: KeyName,
  sources: Sources,
  loaded: Loaded,
  options: CreationOptions,
): Promise<Created> {
  const { store, masterKey } = sources
  const { manifest, isNew } = await wholeStore(sources, loaded, options)
  // The KMS first: where it refuses, not even a manifest is left behind.
  const { ciphertext } = await masterKey.wrapNew(options.keySpec, contextFor(manifest, name))
  await (isNew ? store.createManifest(manifest) : store.requireManifest(manifest))
  await store.writeKey({ ...name, ciphertext })
  const stored = { ...name, ciphertext: await store.readKey(name), issued: undefined }
  const unwrapped = await unwrapOne(stored, manifest, sources)
  const next = withIssued(manifest, [unwrapped.entry])
  try {
    await store.replaceManifest(next, manifest)
  } catch (error) {
    unwrapped.key.drop()
    throw error
  }
  return { manifest: next, unwrapped }
}

/** The manifest of a store in which nothing is missing; a new one where a keyring begins. */
async function wholeStore(
  { store, keyringId }: Sources,
  loaded: Loaded,
  options: CreationOptions,
): Promise<{ manifest: Manifest; isNew: boolean }> {
  const contents = await store.read()
  const manifest = contents.manifest ?? newManifest(options.encryptionContext, keyringId)
  requireKeyringId(manifest, keyringId, store.location)
  const faults = faultsOf(contents, manifest, loaded, store)
  if (faults.length > 0) {
    throw new StrongroomError(
      'SR_STORE_INCOMPLETE',
      `no key is created while ${store.location} is not whole: ${faults.slice(0, 3).join('; ')}`,
    )
  }
  const isFirst = manifest.keys.length === 0
  if (isFirst && options.firstForExistingData !== true && (await store.holdsData())) {
    throw missingKeyring(store.location)
  }
  return { manifest, isNew: contents.manifest === undefined }
}

function faultsOf(contents: StoreContents, manifest: Manifest, loaded: Loaded, store: Store): string[] {
  const { troubles, sound } = survey(contents, manifest, loaded.held, store)
  const entries = new Map(loaded.manifest?.keys.map((entry) => [keyFileName(entry), entry]))
  // Whether the key in memory came from these very bytes.
  const isLoaded = (key: StoredKey) =>
    loaded.held.get(key.keyId, key.version) !== undefined &&
    key.issued !== undefined &&
    key.issued.sha256 === entries.get(keyFileName(key))?.sha256
  const isAnother = loaded.manifest?.id !== contents.manifest?.id && loaded.manifest !== undefined
  return [
    ...troubles.map(({ error }) => error.message),
    ...sound.filter((key) => !isLoaded(key)).map((key) => `${store.locationOf(key)} is not loaded`),
    ...(isAnother ? [`another keyring lies in ${store.location} now`] : []),
  ]
}
