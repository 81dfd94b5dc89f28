import { type KeyName, maxKeyId, maxVersion } from './data-key.ts'

/** A wrapped data key: the KMS's `CiphertextBlob`, nothing else. */
export interface WrappedKey extends KeyName {
  readonly ciphertext: Buffer
}

/** KMS takes ciphertexts of 1 to 6144 bytes (API reference, `Decrypt`). */
export const maxCiphertextLength = 6144

/** The file name that MariaDB's own AWS plugin uses, and that `mariadb-backup` copies. */
export function keyFileName({ keyId, version }: KeyName): string {
  return `aws-kms-key.${keyId}.${version}`
}

/** Reads a file name back; undefined for every name that `keyFileName` does not make. */
export function parseKeyFileName(fileName: string): KeyName | undefined {
  const match = /^aws-kms-key\.([1-9]\d{0,9})\.([1-9]\d{0,9})$/.exec(fileName)
  if (match === null) return undefined
  const name = { keyId: Number(match[1]), version: Number(match[2]) }
  return name.keyId <= maxKeyId && name.version <= maxVersion ? name : undefined
}

export type EncryptionContext = Readonly<Record<string, string>>

/**
 * What a wrapped key is bound to: the KMS unwraps it only as this version of this id in this keyring,
 * and writes the three into its log.
 */
export function encryptionContextOf(keyringId: string, { keyId, version }: KeyName): EncryptionContext {
  return {
    'strongroom-keyring': keyringId,
    'strongroom-key-id': String(keyId),
    'strongroom-key-version': String(version),
  }
}

export function byKeyName(a: KeyName, b: KeyName): number {
  return a.keyId - b.keyId || a.version - b.version
}
