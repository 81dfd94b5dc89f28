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
import { findKey, type NamedKey } from './find-key.ts'

/** Every master key is of this algorithm as yet. */
export const symmetricDefault = 'SYMMETRIC_DEFAULT'

/** A blob, and the key that it says it was made with. */
export interface FoundBlob {
  readonly blob: ParsedBlob
  /** The key that the request names, or else the blob's: its policy is asked. */
  readonly key: Key
  readonly requestAlias: string | undefined
}

/** A blob of an unknown key gets Amazon's answer, which does not tell unknown from forbidden. */
export function findBlob(bytes: Buffer, keyName: string | undefined, state: State): FoundBlob {
  const named: NamedKey | undefined = keyName === undefined ? undefined : findKey(keyName, state)
  const blob = parseBlob(bytes)
  if (named !== undefined) return { blob, ...named }
  const key = state.keys.get(blob.keyId)
  if (key === undefined) {
    throw new AwsException(
      'AccessDeniedException',
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, ' +
        'or you are not allowed to access.',
      { reason: `the blob names the key ${blob.keyId}, which is not here` },
    )
  }
  return { blob, key, requestAlias: undefined }
}

/** A blob under the key as it is now. */
export function encrypt(key: Key, plaintext: Buffer, context: EncryptionContext): Buffer {
  return encryptBlob({ keyId: key.keyId, backingKey: key.currentBackingKey }, plaintext, context)
}

/** The plaintext, which the caller zeroes, and the id of the backing key that opened the blob. */
export function decrypt(
  { blob, key }: FoundBlob,
  context: EncryptionContext,
): { plaintext: Buffer; keyMaterialId: string } {
  if (blob.keyId !== key.keyId) {
    throw new AwsException(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  }
  requireEnabled(key)
  const backingKey = key.backingKeys.get(blob.backingKeyId)
  if (backingKey === undefined) throw invalidCiphertext('the blob names a backing key that the key has not')
  return { plaintext: decryptBlob(blob, backingKey, context), keyMaterialId: backingKey.id }
}

export function requireEnabled(key: Key): void {
  if (!key.enabled) throw new AwsException('DisabledException', `${key.arn} is disabled.`)
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
