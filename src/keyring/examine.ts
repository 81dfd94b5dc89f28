import { StrongroomError } from '../errors.ts'
import type { Examination, Problem } from './examination.ts'
import { HeldKeys } from './held-keys.ts'
import { contextFor, type Manifest, newManifest, withIssued } from './manifest.ts'
import type { Sources } from './sources.ts'
import type { StoreContents } from './store.ts'
import { type StoredKey, survey } from './survey.ts'
import { missingKeyring, requireKeyringId, type Trouble } from './trouble.ts'
import { type UnwrappedKey, unwrapAll } from './unwrapping.ts'
import { keyFileName } from './wrapped-key.ts'

/**
 * Has the KMS unwrap every key file, not only those that are not held, and asks it about the master key. Neither the store nor
 * memory is changed, and the plaintexts are zeroed. `held` is what an agent has in memory; undefined: there is none. `look` reads the
 * store; whoever may be writing there meanwhile has it done between two writes.
 */
export async function examine(
  sources: Sources,
  held: HeldKeys | undefined,
  look: () => Promise<StoreContents> = () => sources.store.look(),
): Promise<Examination> {
  try {
    return await examineContents(await look(), sources, held)
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    return { problem: problemOf(error), keys: [], masterKey: await sources.masterKey.examine(undefined, []) }
  }
}

async function examineContents(
  contents: StoreContents,
  sources: Sources,
  held: HeldKeys | undefined,
): Promise<Examination> {
  const { store, masterKey, keyringId } = sources
  const manifest = contents.manifest ?? withoutManifest(contents, keyringId)
  requireKeyringId(manifest, keyringId, store.location)
  const { sound, troubles } = survey(contents, manifest, new HeldKeys(), store)
  const { unwrapped, troubles: notUnwrapped } = await unwrapAll(sound, manifest, sources)
  try {
    const keys = [
      ...unwrapped.map((one) => ({
        ...named(one.entry),
        isStray: isStray(one.entry, sound),
        ...(held && { inMemory: inMemory(one, held) }),
      })),
      ...[...troubles, ...notUnwrapped].map((trouble) => ({
        ...named({ ...nameOf(trouble), masterKey: trouble.masterKey }),
        problem: problemOf(trouble.error),
        isStray: trouble.isStray === true,
      })),
    ].sort((a, b) => a.keyId - b.keyId || a.version - b.version)
    const arns = new Set(keys.flatMap((key) => key.masterKey ?? []))
    const isBare = manifest.keys.length + keys.length === 0
    return {
      ...(contents.manifest && { keyringId: contents.manifest.id }),
      ...(isBare && (await store.holdsData()) && { problem: problemOf(missingKeyring(store.location)) }),
      keys,
      masterKey: await masterKey.examine(contextOfNext(manifest), [...arns]),
    }
  } finally {
    for (const { key } of unwrapped) key.drop()
  }

  function named({
    keyId,
    version,
    masterKey: arn,
  }: {
    keyId: number
    version: number
    masterKey?: string | undefined
  }) {
    const file = store.locationOf({ keyId, version })
    return { keyId, version, file, ...(arn !== undefined && { masterKey: arn }) }
  }
}

/** Keys without a manifest are those of MariaDB's own AWS plugin: wrapped without an encryption context. */
function withoutManifest(
  { wrappedKeys, unreadable }: StoreContents,
  keyringId: string | undefined,
): Manifest {
  const names = [...wrappedKeys, ...unreadable].map(({ keyId, version }) => ({ keyId, version }))
  return withIssued(newManifest(names.length === 0 ? 'bound' : 'none', keyringId), names)
}

/** What the next version of the first key would be wrapped with. */
function contextOfNext(manifest: Manifest) {
  const versions = manifest.keys.filter(({ keyId }) => keyId === 1).map(({ version }) => version)
  return contextFor(manifest, { keyId: 1, version: Math.max(0, ...versions) + 1 })
}

function isStray(name: { keyId: number; version: number }, sound: readonly StoredKey[]): boolean {
  return sound.find((key) => keyFileName(key) === keyFileName(name))?.issued === undefined
}

function inMemory({ key }: UnwrappedKey, held: HeldKeys): 'same' | 'other' | 'none' {
  const known = held.get(key.keyId, key.version)
  if (known === undefined) return 'none'
  return known.hasSameBytesAs(key) ? 'same' : 'other'
}

/** Those of `survey` and `unwrapAll` are each about one key. */
function nameOf({ name }: Trouble): { keyId: number; version: number } {
  return name ?? { keyId: 0, version: 0 }
}

function problemOf({ code, message }: StrongroomError): Problem {
  return { code, message }
}
