import { StrongroomError } from '../errors.ts'
import type { KeyName } from './data-key.ts'

/** Why the keyring is not whole: one key that can't be loaded, or (without a name) the store as such. */
export interface Trouble {
  readonly name: KeyName | undefined
  readonly error: StrongroomError
  /** Recorded in the manifest; undefined: not known yet. */
  readonly masterKey?: string | undefined
  /** It is about a file that the manifest doesn't list. */
  readonly isStray?: boolean
}

export function missingKeyFile(path: string): StrongroomError {
  return new StrongroomError(
    'SR_KEY_FILE_MISSING',
    `${path} is missing although that version was issued: put it back from the last backup; no new key is made in its place`,
  )
}

export function invalidKeyFile(path: string, length: number): StrongroomError {
  return new StrongroomError(
    'SR_KEY_FILE_INVALID',
    `${path} holds ${length} bytes, which is no wrapped key: put it back from the last backup`,
  )
}

export function alteredKeyFile(path: string): StrongroomError {
  return new StrongroomError(
    'SR_KEY_FILE_ALTERED',
    `${path} does not hold the bytes that were issued (its SHA-256 is not the one in the manifest): put it back from the last backup`,
  )
}

export function otherKeyBytes(path: string): StrongroomError {
  return new StrongroomError(
    'SR_KEY_FILE_ALTERED',
    `${path} unwraps to another key than the one in memory, which stays in use: put the former file back before the agent is restarted`,
  )
}

export function missingManifest(path: string): StrongroomError {
  return new StrongroomError(
    'SR_MANIFEST_MISSING',
    `the manifest of the keyring is gone from ${path}: put it back from the last backup; if the directory now holds another keyring without a manifest, restart the agent`,
  )
}

export function missingKeyring(path: string): StrongroomError {
  return new StrongroomError(
    'SR_KEYRING_MISSING',
    `${path} holds a database but no keys: if it was encrypted, put back its aws-kms-key.* files from the last backup; if it never was, make its first key with \`strongroom keys create 1\``,
  )
}

/** Throws SR_KEYRING_ID_DIFFERS. */
export function requireKeyringId(
  { id }: { readonly id: string },
  wanted: string | undefined,
  path: string,
): void {
  if (wanted === undefined || id === wanted) return
  throw new StrongroomError(
    'SR_KEYRING_ID_DIFFERS',
    `the keyring in ${path} has the id ${id}, not ${wanted} as configured by keyring-id: if it is the right one, set keyring-id to its id, and let the master key's policy allow that; else put the right keyring there`,
  )
}

export function isAboutTheKms({ code }: StrongroomError): boolean {
  return code.startsWith('SR_KMS_') || code.startsWith('SR_MASTER_KEY_')
}

/** The version of an id (the latest in trouble, if none is named) that lies in the store and that the KMS did not unwrap. */
export function undecryptedVersion(
  troubles: readonly Trouble[],
  keyId: number,
  version: number | undefined,
): number | undefined {
  const own = troubles.filter(
    ({ name }) => name?.keyId === keyId && (version ?? name.version) === name.version,
  )
  const last = Math.max(...own.map(({ name }) => name?.version ?? 0))
  const error = own.find(({ name }) => name?.version === last)?.error
  return error !== undefined && isAboutUnwrapping(error) ? last : undefined
}

/** Another KMS than the one that wrapped a key refuses to unwrap it, too. */
export function isAboutUnwrapping(error: StrongroomError): boolean {
  return isAboutTheKms(error) || error.code === 'SR_UNWRAP_REFUSED' || error.code === 'SR_KEY_LENGTH_WRONG'
}

/** What to do about a file that may be anybody's. */
export function strayKeyFile(error: StrongroomError): StrongroomError {
  return new StrongroomError(
    error.code,
    `${error.message}; or, since the manifest does not list it and it may be another keyring's, remove it`,
    { cause: error.cause },
  )
}
