import { StrongroomError } from '../errors.ts'
import type { KeyName } from './data-key.ts'
import type { HeldKeys } from './held-keys.ts'
import { fingerprint, type IssuedKey, type Manifest } from './manifest.ts'
import type { Store, StoreContents } from './store.ts'
import { alteredKeyFile, invalidKeyFile, missingKeyFile, strayKeyFile, type Trouble } from './trouble.ts'
import { byKeyName, keyFileName, maxCiphertextLength, type WrappedKey } from './wrapped-key.ts'

/** A key that lies in the store, and what the manifest says of it. */
export interface StoredKey extends WrappedKey {
  readonly issued: IssuedKey | undefined
}

export interface Survey {
  /** Sound as far as can be told without the KMS. */
  readonly sound: readonly StoredKey[]
  readonly troubles: readonly Trouble[]
}

/** A file with an absurd version number must not make us name four thousand million missing ones. */
const gapsNamed = 100

/** Holds what lies in the store against every version that was ever issued: by the manifest, or by what is held. */
export function survey(contents: StoreContents, manifest: Manifest, held: HeldKeys, store: Store): Survey {
  const issued = new Map(manifest.keys.map((key) => [keyFileName(key), key]))
  const stored = new Map(contents.wrappedKeys.map((key) => [keyFileName(key), key]))
  const unreadable = new Map(contents.unreadable.map((key) => [keyFileName(key), key.error]))

  const sound: StoredKey[] = []
  const troubles: Trouble[] = []
  for (const name of everyName(contents, manifest, held)) {
    const entry = issued.get(keyFileName(name))
    const key = stored.get(keyFileName(name))
    const error = unreadable.get(keyFileName(name)) ?? faultOf(key, entry, store.locationOf(name))
    const isStray = entry === undefined && (key !== undefined || unreadable.has(keyFileName(name)))
    if (error !== undefined) {
      troubles.push({
        name,
        error: isStray ? strayKeyFile(error) : error,
        masterKey: entry?.masterKey,
        isStray,
      })
    } else if (key !== undefined) {
      sound.push({ ...key, issued: entry })
    }
  }
  return { sound, troubles }
}

function faultOf(
  key: WrappedKey | undefined,
  issued: IssuedKey | undefined,
  path: string,
): StrongroomError | undefined {
  if (key === undefined) return missingKeyFile(path)
  const { length } = key.ciphertext
  if (length < 1 || length > maxCiphertextLength) return invalidKeyFile(path, length)
  if (issued?.sha256 !== undefined && issued.sha256 !== fingerprint(key.ciphertext))
    return alteredKeyFile(path)
  return undefined
}

/** What was issued, gaps included (where version 3 was, 1 and 2 were), and what else lies there. */
function everyName(contents: StoreContents, manifest: Manifest, held: HeldKeys): KeyName[] {
  const names = new Map<string, KeyName>()
  const add = ({ keyId, version }: KeyName) => names.set(keyFileName({ keyId, version }), { keyId, version })

  const issued = [...manifest.keys, ...held]
  issued.forEach(add)
  for (const [keyId, keys] of Map.groupBy(issued, (key) => key.keyId)) {
    const latest = Math.max(...keys.map((key) => key.version))
    for (let version = 1; version < Math.min(latest, keys.length + gapsNamed); version++)
      add({ keyId, version })
  }
  contents.wrappedKeys.forEach(add)
  contents.unreadable.forEach(add)
  return [...names.values()].sort(byKeyName)
}
