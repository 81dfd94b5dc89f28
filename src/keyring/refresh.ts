import { StrongroomError } from '../errors.ts'
import type { DataKey } from './data-key.ts'
import { HeldKeys } from './held-keys.ts'
import { type IssuedKey, type Manifest, newManifest, withIssued } from './manifest.ts'
import type { Sources } from './sources.ts'
import type { Store, StoreContents } from './store.ts'
import { survey } from './survey.ts'
import { missingKeyring, missingManifest, otherKeyBytes, requireKeyringId, type Trouble } from './trouble.ts'
import { type UnwrappedKey, unwrapAll } from './unwrapping.ts'
import { keyFileName } from './wrapped-key.ts'

/** What a keyring has in memory: the manifest as it lies in the store, and the keys that have been unwrapped. */
export interface Loaded {
  readonly manifest: Manifest | undefined
  readonly held: HeldKeys
  /** Another keyring that has taken its place in the store, as far as its keys have been unwrapped. */
  readonly pending?: { readonly manifest: Manifest; readonly held: HeldKeys } | undefined
}

export interface Refreshed extends Loaded {
  /** Held from now on. */
  readonly loaded: readonly { readonly key: DataKey }[]
  readonly troubles: readonly Trouble[]
  /** The manifest of another keyring took the place of the former (rule K9). */
  readonly replaced: boolean
}

/** What one round found out, before it is written down. */
interface Round {
  readonly fresh: readonly UnwrappedKey[]
  readonly manifest: Manifest
  /** The manifest as it lies in the store; undefined: there is none yet. */
  readonly listed: Manifest | undefined
  readonly troubles: readonly Trouble[]
}

/**
 * Brings memory in line with the store: unwraps what is not held yet, lists in the manifest what is not listed yet
 * (rule K1), and says what is wrong. What is held stays held (rule K3).
 * Throws what `Store.read` throws, and SR_KEYRING_ID_DIFFERS.
 */
export async function refresh(sources: Sources, before: Loaded): Promise<Refreshed> {
  const { store } = sources
  const contents = await store.read()
  if (contents.manifest === undefined) {
    if (before.manifest !== undefined) return unchanged(before, missingManifest(store.location))
    if (contents.wrappedKeys.length + contents.unreadable.length > 0) return adopt(contents, sources, before)
    if (await store.holdsData()) return unchanged(before, missingKeyring(store.location))
    return unchanged(before)
  }
  const { manifest } = contents
  requireKeyringId(manifest, sources.keyringId, store.location)
  const isEmpty = manifest.keys.length + contents.wrappedKeys.length + contents.unreadable.length === 0
  if (isEmpty && (await store.holdsData())) {
    return { ...unchanged(before, missingKeyring(store.location)), manifest: before.manifest ?? manifest }
  }
  if (before.manifest === undefined || before.manifest.id === manifest.id) {
    return load(contents, manifest, sources, before)
  }
  return replace(contents, manifest, sources, before)
}

/** Keys without a manifest are those of MariaDB's own AWS plugin: wrapped without an encryption context. */
async function adopt(contents: StoreContents, sources: Sources, before: Loaded): Promise<Refreshed> {
  const { store, keyringId } = sources
  const found = [...contents.wrappedKeys, ...contents.unreadable].map(({ keyId, version }) => ({
    keyId,
    version,
  }))
  const manifest = withIssued(newManifest('none', keyringId), found)
  const { sound, troubles } = survey(contents, manifest, before.held, store)
  const result = await unwrapAll(sound, manifest, sources)
  const allTroubles = [...troubles, ...result.troubles]
  // Until one of them unwraps there is no telling that this is such a keyring.
  if (result.unwrapped.length === 0) return { ...unchanged(before), troubles: allTroubles }
  const adopted = { fresh: result.unwrapped, manifest, listed: undefined, troubles: allTroubles }
  return record(adopted, before.held, (next) => store.createManifest(next))
}

/** The same keyring as before, or the first one seen. */
async function load(
  contents: StoreContents,
  manifest: Manifest,
  sources: Sources,
  before: Loaded,
): Promise<Refreshed> {
  const { store } = sources
  const { sound, troubles } = survey(contents, manifest, before.held, store)
  const former = new Map(before.manifest?.keys.map((entry) => [keyFileName(entry), entry]))
  const wanted = sound.filter(
    (key) =>
      before.held.get(key.keyId, key.version) === undefined ||
      key.issued === undefined ||
      key.issued.sha256 !== former.get(keyFileName(key))?.sha256,
  )
  const result = await unwrapAll(wanted, manifest, sources)
  const { fresh, conflicts } = compareWithHeld(result.unwrapped, before.held, store)
  const round = {
    fresh,
    manifest,
    listed: manifest,
    troubles: [...troubles, ...result.troubles, ...conflicts.map(({ trouble }) => trouble)],
  }
  const after = await record(round, before.held, (next) => store.replaceManifest(next, manifest))
  // Of a key that memory won over, memory also keeps the entry: so it stays a conflict until it is mended.
  const kept = conflicts.flatMap(({ entry }) => former.get(keyFileName(entry)) ?? [])
  return kept.length === 0 ? after : { ...after, manifest: withIssued(after.manifest ?? manifest, kept) }
}

/**
 * Another keyring lies there now (a restore, a state transfer): it is taken once every key that it lists unwraps. What
 * of it has been unwrapped is kept meanwhile, and files that are not its own don't keep it from being taken.
 */
async function replace(
  contents: StoreContents,
  manifest: Manifest,
  sources: Sources,
  before: Loaded,
): Promise<Refreshed> {
  const known = before.pending?.manifest.id === manifest.id ? before.pending : undefined
  if (known === undefined) before.pending?.held.drop()
  const pending = known ?? { manifest: undefined, held: new HeldKeys() }
  const next = await load(contents, manifest, sources, pending)
  if (next.troubles.every(({ isStray }) => isStray === true)) {
    before.held.drop()
    return { ...next, loaded: [...next.held].map((key) => ({ key })), replaced: true }
  }
  const { held, troubles } = next
  return {
    ...before,
    pending: { manifest: next.manifest ?? manifest, held },
    loaded: [],
    troubles,
    replaced: false,
  }
}

/** Lists in the manifest what it doesn't list yet; only then are the keys held, and so served. */
async function record(
  { fresh, manifest, listed, troubles }: Round,
  held: HeldKeys,
  write: (manifest: Manifest) => Promise<void>,
): Promise<Refreshed> {
  const isListed = listedBy(listed)
  const unlisted = fresh.filter(({ entry }) => !isListed(entry))
  const known = fresh.filter(({ entry }) => isListed(entry))
  if (unlisted.length === 0) return hold(known, listed, troubles, held)
  const entries = unlisted.map(({ entry }) => entry)
  const next = withIssued(manifest, entries)
  try {
    await write(next)
  } catch (error) {
    for (const { key } of unlisted) key.drop()
    if (!(error instanceof StrongroomError)) throw error
    return hold(known, listed, [...troubles, { name: undefined, error }], held)
  }
  return hold(fresh, next, troubles, held)
}

function hold(
  fresh: readonly UnwrappedKey[],
  manifest: Manifest | undefined,
  troubles: readonly Trouble[],
  held: HeldKeys,
): Refreshed {
  for (const entry of manifest?.keys ?? []) held.markIssued(entry)
  for (const { key } of fresh) {
    if (held.get(key.keyId, key.version) === undefined) held.add(key)
    else key.drop()
  }
  return { manifest, held, loaded: fresh, troubles, replaced: false }
}

/** Tells whether the manifest has that entry already, with these bytes and this master key. */
function listedBy(manifest: Manifest | undefined): (entry: IssuedKey) => boolean {
  const entries = new Map(manifest?.keys.map((entry) => [keyFileName(entry), entry]))
  return (entry) => {
    const known = entries.get(keyFileName(entry))
    return known !== undefined && known.sha256 === entry.sha256 && known.masterKey === entry.masterKey
  }
}

/** A file of a held version that the manifest doesn't list must hold the very key that is in memory. */
function compareWithHeld(
  unwrapped: readonly UnwrappedKey[],
  held: HeldKeys,
  store: Store,
): { fresh: UnwrappedKey[]; conflicts: { entry: IssuedKey; trouble: Trouble }[] } {
  const fresh: UnwrappedKey[] = []
  const conflicts: { entry: IssuedKey; trouble: Trouble }[] = []
  for (const one of unwrapped) {
    const known = held.get(one.key.keyId, one.key.version)
    if (known === undefined || known.hasSameBytesAs(one.key)) {
      fresh.push(one)
    } else {
      const error = otherKeyBytes(store.locationOf(one.entry))
      conflicts.push({
        entry: one.entry,
        trouble: { name: one.entry, error, masterKey: one.entry.masterKey },
      })
      one.key.drop()
    }
  }
  return { fresh, conflicts }
}

function unchanged(before: Loaded, error?: StrongroomError): Refreshed {
  const troubles = error === undefined ? [] : [{ name: undefined, error }]
  return { ...before, loaded: [], troubles, replaced: false }
}
