import { DecryptCommand, GenerateDataKeyWithoutPlaintextCommand } from '@aws-sdk/client-kms'
import { z } from 'zod'
import { isConfidential, mustBeConfidential } from '../../confidential-http.ts'
import { StrongroomError } from '../../errors.ts'
import { sealWith, unsealWith } from './aead.ts'
import { type KmsPlace, withKmsClient } from './kms-client.ts'
import { takePlaintext } from './plaintext-middleware.ts'
import { type KmsSealRequest, rootKeyOf } from './seal.ts'

export const kmsSealShape = z.strictObject({
  kind: z.literal('kms'),
  /** ARN of the wrapping key. */
  keyId: z.string(),
  region: z.string(),
  endpoint: z.string().optional(),
  wrappedDataKey: z.base64(),
  sealedRootKey: z.base64(),
})

export type KmsSeal = z.infer<typeof kmsSealShape>

/**
 * The root key encrypted with a data key that only another KMS can unwrap, for this service alone: its id is the
 * encryption context. The root key itself never leaves the process. Credentials come from where AWS's tools look. Making
 * it takes `kms:GenerateDataKeyWithoutPlaintext` and `kms:Decrypt` on the wrapping key, a start takes the latter.
 */
export async function wrapByKms(
  rootKey: Buffer,
  serviceId: string,
  request: KmsSealRequest,
): Promise<KmsSeal> {
  const place = checked(request)
  const { wrapped, keyId } = await generateDataKey(place, serviceId)
  const dataKey = await decrypt({ ...place, keyId }, wrapped, serviceId)
  try {
    const sealedRootKey = sealWith(dataKey, rootKey, rootKeyOf(serviceId)).toString('base64')
    return { kind: 'kms', ...place, keyId, wrappedDataKey: wrapped, sealedRootKey }
  } finally {
    dataKey.fill(0)
  }
}

export async function unwrapByKms(stored: KmsSeal, serviceId: string): Promise<Buffer> {
  const dataKey = await decrypt(stored, stored.wrappedDataKey, serviceId)
  try {
    return unsealWith(dataKey, Buffer.from(stored.sealedRootKey, 'base64'), rootKeyOf(serviceId)) ?? altered()
  } finally {
    dataKey.fill(0)
  }
}

/** At once, before anything is asked. */
function checked({ keyId, region, endpoint }: KmsSealRequest): KmsPlace {
  const place = { keyId, region, ...(endpoint === undefined ? {} : { endpoint }) }
  if (endpoint === undefined) return place
  if (isConfidential(endpoint)) return place
  throw new StrongroomError(
    'SR_KMS_SEAL',
    `the endpoint ${endpoint} of the sealing KMS ${mustBeConfidential}`,
  )
}

interface WrappedDataKey {
  readonly wrapped: string
  /** ARN. */
  readonly keyId: string
}

async function generateDataKey(place: KmsPlace, serviceId: string): Promise<WrappedDataKey> {
  return await withKmsClient(place, async (client) => {
    const input = { KeyId: place.keyId, KeySpec: 'AES_256', EncryptionContext: contextOf(serviceId) } as const
    const { CiphertextBlob, KeyId } = await client.send(new GenerateDataKeyWithoutPlaintextCommand(input))
    if (CiphertextBlob === undefined || KeyId === undefined) throw new Error('its answer lacks the data key')
    return { wrapped: Buffer.from(CiphertextBlob).toString('base64'), keyId: KeyId }
  })
}

async function decrypt(place: KmsPlace, wrapped: string, serviceId: string): Promise<Buffer> {
  return await withKmsClient(place, async (client) => {
    const command = new DecryptCommand({
      KeyId: place.keyId,
      CiphertextBlob: Buffer.from(wrapped, 'base64'),
      EncryptionContext: contextOf(serviceId),
    })
    const taken = takePlaintext(command.middlewareStack)
    await client.send(command)
    return taken()
  })
}

function contextOf(serviceId: string): Record<string, string> {
  return { 'strongroom-kms-service': serviceId }
}

function altered(): never {
  throw new StrongroomError(
    'SR_KMS_SEAL',
    'the sealing KMS opened the data key, but the root key in root-key.json was altered: bring it back from a backup',
  )
}
