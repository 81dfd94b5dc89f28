import { StrongroomError } from '../errors.ts'
import { forEachBounded } from './bounded.ts'
import { DataKey, type KeyName } from './data-key.ts'
import { contextFor, fingerprint, type IssuedKey, type Manifest } from './manifest.ts'
import type { Unwrapped } from './master-key.ts'
import type { Sources } from './sources.ts'
import type { StoredKey } from './survey.ts'
import { strayKeyFile, type Trouble } from './trouble.ts'
import { byKeyName } from './wrapped-key.ts'

/** AWS's SDK opens that many connections; more only queue. */
const callsAtOnce = 32

/** A key that came out of its wrapping, and the entry that the manifest should have for it. */
export interface UnwrappedKey {
  readonly key: DataKey
  readonly entry: IssuedKey
}

export interface Unwrapping {
  readonly unwrapped: readonly UnwrappedKey[]
  readonly troubles: readonly Trouble[]
}

/**
 * Unwraps many keys side by side. Where the KMS or a master key can't be used, the other keys that it concerns wait
 * for the next round: a thousand refused calls would say the same.
 */
export async function unwrapAll(
  keys: readonly StoredKey[],
  manifest: Manifest,
  sources: Sources,
): Promise<Unwrapping> {
  const unwrapped: UnwrappedKey[] = []
  const troubles: (Trouble & { name: KeyName })[] = []
  const unusable = new Map<string, StrongroomError>()
  let failures = 0

  await forEachBounded(keys, callsAtOnce, async (stored) => {
    const masterKey = stored.issued?.masterKey
    const name = { keyId: stored.keyId, version: stored.version }
    const known = unusable.get(everyMasterKey) ?? unusable.get(masterKey ?? noMasterKey)
    if (known !== undefined) {
      troubles.push({ name, error: known, masterKey, isStray: stored.issued === undefined })
      return
    }
    try {
      unwrapped.push(await unwrapOne(stored, manifest, sources))
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      const isStray = stored.issued === undefined
      troubles.push({
        name,
        error: isStray && isAboutTheFile(error) ? strayKeyFile(error) : error,
        masterKey,
        isStray,
      })
      if (error.code === 'SR_KMS_FAILED') failures += 1
      const concerned = failures >= failuresAtMost ? everyMasterKey : concernedBy(error, masterKey)
      if (concerned !== undefined) unusable.set(concerned, error)
    }
  })
  return {
    unwrapped: unwrapped.sort((a, b) => byKeyName(a.key, b.key)),
    troubles: troubles.sort((a, b) => byKeyName(a.name, b.name)),
  }
}

/** A KMS that throttles, or fails, is not asked hundreds of times more in the same round. */
const failuresAtMost = 3

const everyMasterKey = 'every master key'
const noMasterKey = 'none'

/** Whom an error keeps waiting: all, those of the same master key, or (undefined) this one key. */
function concernedBy(error: StrongroomError, masterKey: string | undefined): string | undefined {
  switch (error.code) {
    case 'SR_KMS_UNREACHABLE':
    case 'SR_KMS_CREDENTIALS':
    case 'SR_KMS_CREDENTIALS_AWAITED':
    case 'SR_KMS_CREDENTIALS_EXPIRED':
    case 'SR_KMS_REGION_UNKNOWN':
      return everyMasterKey
    case 'SR_MASTER_KEY_DISABLED':
    case 'SR_MASTER_KEY_UNUSABLE':
    case 'SR_MASTER_KEY_NOT_FOUND':
      // Where the master key isn't known, a damaged file may name one that is nobody's.
      return masterKey
    default:
      // Access may be denied for single keys, by conditions on the encryption context.
      return undefined
  }
}

/** Throws what `MasterKey.unwrap` throws, and SR_KEY_LENGTH_WRONG. */
export async function unwrapOne(
  stored: StoredKey,
  manifest: Manifest,
  sources: Sources,
): Promise<UnwrappedKey> {
  const path = sources.store.locationOf(stored)
  const { plaintext, masterKeyArn } = await unwrap(stored, manifest, sources)
  const { length } = plaintext
  if (length !== 16 && length !== 32) {
    plaintext.fill(0)
    throw new StrongroomError(
      'SR_KEY_LENGTH_WRONG',
      `${path} unwraps to ${length} bytes; MariaDB takes keys of 16 or 32: it is not a key file of this server`,
    )
  }
  const name: KeyName = { keyId: stored.keyId, version: stored.version }
  return {
    key: new DataKey(name, plaintext),
    entry: { ...name, masterKey: masterKeyArn, sha256: fingerprint(stored.ciphertext) },
  }
}

async function unwrap(
  stored: StoredKey,
  manifest: Manifest,
  { store, masterKey }: Sources,
): Promise<Unwrapped> {
  const context = contextFor(manifest, stored)
  try {
    return await masterKey.unwrap(stored.ciphertext, context, stored.issued?.masterKey)
  } catch (error) {
    if (!(error instanceof StrongroomError) || error.code !== 'SR_UNWRAP_REFUSED') throw error
    const cause =
      context === undefined
        ? 'the file was changed, or its keyring had a manifest (aws-kms-key.keyring.json) that is lost'
        : `the file was changed, or it is another's of this or another keyring under a wrong name`
    throw new StrongroomError(
      error.code,
      `${store.locationOf(stored)}: ${error.message}: ${cause}; put it back from the last backup`,
      {
        cause: error.cause,
      },
    )
  }
}

function isAboutTheFile({ code }: StrongroomError): boolean {
  return code === 'SR_UNWRAP_REFUSED' || code === 'SR_KEY_LENGTH_WRONG'
}
