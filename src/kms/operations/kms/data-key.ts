import { randomBytes } from 'node:crypto'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import type { EncryptionContext } from '../../ciphertext.ts'
import type { Call } from '../call.ts'
import { requireKeyState } from './key-states.ts'
import { encrypt, stopDryRun } from './key-use.ts'

/** The members of both GenerateDataKey operations. */
export interface DataKeyRequest {
  readonly EncryptionContext: EncryptionContext
  readonly KeySpec?: 'AES_256' | 'AES_128' | undefined
  readonly NumberOfBytes?: number | undefined
  readonly DryRun?: boolean | undefined
}

export interface DataKey {
  /** Whoever gets it zeroes it. */
  readonly plaintext: Buffer
  readonly wrapped: {
    readonly CiphertextBlob: string
    readonly KeyId: string
    readonly KeyMaterialId: string | undefined
  }
}

/** A new data key in both forms. */
export function makeDataKey(
  operation: 'GenerateDataKey' | 'GenerateDataKeyWithoutPlaintext',
  request: DataKeyRequest,
  { key, call }: { key: Key; call: Call },
): DataKey {
  const length = dataKeyLength(request)
  requireKeyState(operation, key)
  stopDryRun(request.DryRun)
  const plaintext = randomBytes(length)
  try {
    const wrapped = {
      CiphertextBlob: encrypt(key, plaintext, request.EncryptionContext).toString('base64'),
      KeyId: key.arn,
      KeyMaterialId: key.currentMaterialId,
    }
    call.state.keyUsage.note(key, operation, call)
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
