import { StrongroomError } from '../errors.ts'
import type { KeyName, KeySpec } from './data-key.ts'
import { contextFor, type Manifest, newManifest, withIssued } from './manifest.ts'
import type { Loaded } from './refresh.ts'
import type { Sources } from './sources.ts'
import type { Store } from './store.ts'
import { type StoredKey, survey } from './survey.ts'
import { missingKeyring } from './trouble.ts'
import { type UnwrappedKey, unwrapOne } from './unwrapping.ts'
import { byKeyName } from './wrapped-key.ts'

export interface Created {
  readonly manifest: Manifest
  readonly unwrapped: UnwrappedKey
}

export interface CreationOptions {
  readonly keySpec: KeySpec
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
  const manifest = await wholeManifest(store, loaded, options)
  const { ciphertext } = await masterKey.wrapNew(options.keySpec, contextFor(manifest, name))
  await store.writeKey({ ...name, ciphertext })
  const stored = { ...name, ciphertext: await store.readKey(name), issued: undefined }
  const unwrapped = await unwrapOne(stored, manifest, sources)
  const next = withIssued(manifest, [unwrapped.entry])
  try {
    await store.replaceManifest(next)
  } catch (error) {
    unwrapped.key.drop()
    throw error
  }
  return { manifest: next, unwrapped }
}

/** The manifest of a store in which nothing is missing; a new one where a keyring begins. */
async function wholeManifest(store: Store, loaded: Loaded, options: CreationOptions): Promise<Manifest> {
  const contents = await store.read()
  const found = contents.manifest ?? newManifest('bound')
  const { troubles, sound } = survey(contents, found, loaded.held, store)
  const faults = [
    ...troubles.map(({ error }) => error.message),
    ...sound.filter((key) => !isLoaded(key, loaded)).map((key) => `${store.locationOf(key)} is not loaded`),
  ]
  if (loaded.manifest?.id !== contents.manifest?.id)
    faults.push(`another keyring lies in ${store.location} now`)
  if (faults.length > 0) {
    throw new StrongroomError(
      'SR_STORE_INCOMPLETE',
      `no key is created while ${store.location} is not whole: ${faults.slice(0, 3).join('; ')}`,
    )
  }
  if (contents.manifest !== undefined) return contents.manifest
  if (options.firstForExistingData !== true && (await store.holdsData())) throw missingKeyring(store.location)
  await store.createManifest(found)
  return found
}

/** Whether the key in memory came from these very bytes. */
function isLoaded({ keyId, version, issued }: StoredKey, { held, manifest }: Loaded): boolean {
  if (held.get(keyId, version) === undefined || issued === undefined) return false
  const known = manifest?.keys.find((entry) => byKeyName(entry, issued) === 0)
  return known?.sha256 === issued.sha256
}
