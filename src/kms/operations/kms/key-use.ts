import {
  decryptBlob,
  encryptBlob,
  type EncryptionContext,
  type ParsedBlob,
  parseBlob,
} from '../../ciphertext.ts'
import { AwsException, invalidCiphertext } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { findKey } from './find-key.ts'

/** Every master key is of this algorithm. */
export const symmetricDefault = 'SYMMETRIC_DEFAULT'

/** What a request says of the blob that is to be opened. */
export interface BlobRequest {
  readonly blob: Buffer | undefined
  readonly keyName: string | undefined
  readonly dryRun: boolean | undefined
  readonly dryRunModifiers: readonly string[] | undefined
}

/** A blob, and the key that it says it was made with. */
export interface FoundBlob {
  /** Undefined: a dry run that is to ignore the blob. */
  readonly blob: ParsedBlob | undefined
  /** The key that the request names, or else the blob's: its policy is asked. */
  readonly key: Key
  readonly requestAlias: string | undefined
}

/**
 * A blob that names a key which never was in this account was not made here, or was damaged since. One of a deleted key
 * or of another region's gets Amazon's answer, which does not tell unknown from forbidden.
 */
export function findBlob(request: BlobRequest, state: State): FoundBlob {
  const { keyName } = request
  const named = keyName === undefined ? undefined : findKey(keyName, state)
  if (ignoresBlob(request)) {
    if (named === undefined) throw missing('keyId')
    return { blob: undefined, ...named }
  }
  if (request.blob === undefined) throw missing('ciphertextBlob')
  const blob = parseBlob(request.blob)
  if (named !== undefined) return { blob, ...named }
  const key = state.keys.get(blob.keyId)
  if (key !== undefined) return { blob, key, requestAlias: undefined }
  requireKnownKey(blob, state)
  throw new AwsException(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, ' +
      'or you are not allowed to access.',
    { reason: `the blob names the key ${blob.keyId}, which is not here` },
  )
}

/** A blob under the key as it is now, which is enabled. */
export function encrypt(key: Key, plaintext: Buffer, context: EncryptionContext): Buffer {
  const { keyId, currentBackingKey: backingKey } = key
  if (backingKey === undefined) throw new Error(`the key ${keyId} has nothing to encrypt with`)
  return encryptBlob({ keyId, backingKey }, plaintext, context)
}

/** Throws unless the blob says that it was made with the key. */
export function requireKeyOfBlob({ blob, key }: FoundBlob, state: State): void {
  if (blob === undefined || blob.keyId === key.keyId) return
  requireKnownKey(blob, state)
  throw new AwsException(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
}

/** The plaintext, which the caller zeroes, and the id of the backing key that opened the blob. */
export function decrypt(
  { blob, key }: FoundBlob,
  context: EncryptionContext,
): { plaintext: Buffer; keyMaterialId: string } {
  if (blob === undefined) throw new Error('a dry run without a blob has nothing to decrypt')
  const backingKey = key.backingKeys.get(blob.backingKeyId)
  if (backingKey === undefined) throw invalidCiphertext('the blob names a backing key that the key has not')
  return { plaintext: decryptBlob(blob, backingKey, context), keyMaterialId: backingKey.id }
}

export function requireSymmetric(algorithm: string | undefined): void {
  if (algorithm === undefined || algorithm === symmetricDefault) return
  throw new AwsException(
    'InvalidKeyUsageException',
    `Algorithm ${algorithm} is not compatible with key spec SYMMETRIC_DEFAULT.`,
  )
}

/** Called when all else is checked, right before the work. */
export function stopDryRun(dryRun: boolean | undefined): void {
  if (dryRun !== true) return
  throw new AwsException(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  )
}

function ignoresBlob({ dryRun, dryRunModifiers = [] }: BlobRequest): boolean {
  if (dryRunModifiers.length > 0 && dryRun !== true) {
    throw new AwsException('ValidationException', 'DryRunModifiers can only be used when DryRun is true.')
  }
  return dryRunModifiers.includes('IGNORE_CIPHERTEXT')
}

function requireKnownKey({ keyId }: ParsedBlob, { keys }: State): void {
  if (keys.isKnown(keyId)) return
  throw invalidCiphertext(`the blob names the key ${keyId}, which never was here`)
}

function missing(member: string): AwsException {
  return new AwsException(
    'ValidationException',
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  )
}
