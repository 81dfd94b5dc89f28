import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  type KeyMetadata,
  type KMSClient,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { constants, createPublicKey, publicEncrypt } from 'node:crypto'

/** For tests: a key that CreateKey made. */
export async function newKey(
  kms: KMSClient,
  input: Partial<CreateKeyCommandInput> = {},
): Promise<{ id: string; arn: string }> {
  const { KeyMetadata: metadata } = await kms.send(new CreateKeyCommand(input))
  assert.ok(metadata?.KeyId !== undefined && metadata.Arn !== undefined)
  return { id: metadata.KeyId, arn: metadata.Arn }
}

export async function describe(kms: KMSClient, KeyId: string): Promise<KeyMetadata> {
  return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata ?? assert.fail()
}

export async function encrypt(kms: KMSClient, KeyId: string, text = 'a secret'): Promise<Uint8Array> {
  const input = { KeyId, Plaintext: Buffer.from(text) }
  return (await kms.send(new EncryptCommand(input))).CiphertextBlob ?? assert.fail()
}

/** The text that is in the blob. */
export async function decrypt(kms: KMSClient, CiphertextBlob: Uint8Array): Promise<string> {
  return Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext ?? []).toString()
}

/** Imports key material, wrapped with RSAES_OAEP_SHA_256; the id that it got. */
export async function importMaterial(
  kms: KMSClient,
  KeyId: string,
  material: Uint8Array,
  options: Partial<ImportKeyMaterialCommandInput> = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
): Promise<string> {
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const
  const { ImportToken, PublicKey } = await kms.send(new GetParametersForImportCommand({ KeyId, ...wrapping }))
  const wrapped = wrapMaterial(Buffer.from(PublicKey ?? []), material)
  const imported = await kms.send(
    new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial: wrapped, ...options }),
  )
  return imported.KeyMaterialId ?? assert.fail()
}

/** As RSAES_OAEP; `publicKey` is GetParametersForImport's. */
export function wrapMaterial(
  publicKey: Buffer,
  material: Uint8Array,
  oaepHash: 'sha1' | 'sha256' = 'sha256',
): Buffer {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, material)
}
