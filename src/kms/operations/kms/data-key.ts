import { randomBytes } from 'node:crypto'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import type { EncryptionContext } from '../../ciphertext.ts'
import { encrypt, requireEnabled, stopDryRun } from './key-use.ts'

/** The members of both GenerateDataKey operations. */
export interface DataKeyRequest {
  readonly EncryptionContext: EncryptionContext
  readonly KeySpec?: 'AES_256' | 'AES_128' | undefined
  readonly NumberOfBytes?: number | undefined
  readonly DryRun?: boolean | undefined
}

/** A new data key in both forms; whoever gets the plaintext zeroes it. */
export function makeDataKey(
  request: DataKeyRequest,
  key: Key,
): { plaintext: Buffer; wrapped: { CiphertextBlob: string; KeyId: string; KeyMaterialId: string } } {
  const length = dataKeyLength(request)
  requireEnabled(key)
  stopDryRun(request.DryRun)
  const plaintext = randomBytes(length)
  try {
    const blob = encrypt(key, plaintext, request.EncryptionContext)
    const wrapped = {
      CiphertextBlob: blob.toString('base64'),
      KeyId: key.arn,
      KeyMaterialId: key.currentBackingKey.id,
    }
    return { plaintext, wrapped }
  } catch (error) {
    plaintext.fill(0)
    throw error
  }
}

/** In bytes. */
function dataKeyLength({ KeySpec, NumberOfBytes }: DataKeyRequest): number {
  if (NumberOfBytes !== undefined && KeySpec === undefined) return NumberOfBytes
  if (KeySpec !== undefined && NumberOfBytes === undefined) return KeySpec === 'AES_256' ? 32 : 16
  throw new AwsException('ValidationException', 'Please specify either number of bytes or key spec.')
}
