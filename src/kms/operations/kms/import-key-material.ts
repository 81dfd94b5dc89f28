import { z } from 'zod'
import { unwrapKeyMaterial } from '../../key-wrapping.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import type { Call, State } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { importConditions, requireExpiration } from './import-expiration.ts'
import { requireImportedMaterial } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { encryptedKeyMaterial, importToken, keyId, keyMaterialId } from './members.ts'

/** In bytes: the key of AES-256. */
const materialLength = 32

const input = z.object({
  EncryptedKeyMaterial: encryptedKeyMaterial,
  ExpirationModel: z
    .enum(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE'])
    .default('KEY_MATERIAL_EXPIRES'),
  ImportToken: importToken,
  ImportType: z.enum(['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL']).optional(),
  KeyId: keyId,
  KeyMaterialDescription: z
    .string()
    .max(256)
    .regex(/^[a-zA-Z0-9:/_\s.-]+$/)
    .optional(),
  KeyMaterialId: keyMaterialId,
  ValidTo: z.number().optional(),
})

type Request = z.infer<typeof input>

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html */
export const importKeyMaterial = operation({
  name: 'ImportKeyMaterial',
  readOnly: false,
  input,
  find: (request, { state }) => findKeyWithoutAlias(request.KeyId, state),
  permissions: (request, key) => [
    { action: 'kms:ImportKeyMaterial', key, conditionKeys: importConditions(request) },
  ],
  run(request, key, call) {
    requireImportedMaterial(key)
    const expiresAt = requireExpiration(request, call.receivedAt)
    const isNew = isForNewMaterial(request, key)
    requireKeyState('ImportKeyMaterial', key)
    const secret = unwrapped(request, key, call)
    try {
      const id = call.state.keys.idOfImported(key, secret)
      if (isNew) requireRoomFor(id, key)
      else requireKnown(id, request, key)
      call.state.keys.importMaterial(key, {
        ...{ secret, isNew, expiresAt },
        description: request.KeyMaterialDescription,
        at: call.receivedAt,
      })
      return { KeyId: key.arn, KeyMaterialId: id }
    } finally {
      secret.fill(0)
    }
  },
  recordedAnswer: ({ KeyId, KeyMaterialId }) => ({ keyId: KeyId, keyMaterialId: KeyMaterialId }),
})

function isForNewMaterial({ ImportType, KeyMaterialId }: Request, key: Key): boolean {
  const isNew = ImportType === undefined ? key.materials.length === 0 : ImportType === 'NEW_KEY_MATERIAL'
  if (isNew && KeyMaterialId !== undefined) {
    throw new AwsException(
      'ValidationException',
      'KeyMaterialId cannot be specified when the ImportType is NEW_KEY_MATERIAL',
    )
  }
  if (isNew && key.multiRegion?.type === 'REPLICA') {
    throw new AwsException(
      'UnsupportedOperationException',
      `New key material is imported into the primary key first, in ${key.multiRegion.primaryRegion}.`,
    )
  }
  return isNew
}

function unwrapped(request: Request, key: Key, { state, receivedAt }: Call): Buffer {
  const { algorithm, privateKey } = openToken(request.ImportToken, key, { state, receivedAt })
  try {
    const secret = unwrapKeyMaterial(request.EncryptedKeyMaterial, privateKey, algorithm)
    if (secret.length === materialLength) return secret
    secret.fill(0)
    throw new AwsException(
      'IncorrectKeyMaterialException',
      `Key material of a key of spec SYMMETRIC_DEFAULT has ${materialLength} bytes`,
    )
  } finally {
    privateKey.fill(0)
  }
}

function openToken(token: Buffer, key: Key, { state, receivedAt }: { state: State; receivedAt: Date }) {
  const opened = state.keys.importTokens.open(key, token, receivedAt)
  if (opened === 'expired')
    throw new AwsException('ExpiredImportTokenException', 'The import token is expired.')
  if (opened === 'invalid') {
    throw new AwsException(
      'InvalidImportTokenException',
      'The import token is invalid, or is for another key.',
    )
  }
  return opened
}

function requireRoomFor(id: string, key: Key): void {
  if (key.materials.some((material) => material.id === id)) {
    throw new AwsException(
      'IncorrectKeyMaterialException',
      `The key material ${id} belongs to this key already; import it as EXISTING_KEY_MATERIAL.`,
    )
  }
  const pending = key.materials.find(({ state }) => state === 'PENDING_ROTATION')
  if (pending === undefined) return
  throw new AwsException(
    'KMSInvalidStateException',
    `New key material (id: ${id}) cannot be imported into KMS key ${key.arn}, because another key material ` +
      `(id: ${pending.id}) is pending rotation.`,
  )
}

function requireKnown(id: string, { KeyMaterialId }: Request, key: Key): void {
  const isWanted = KeyMaterialId === undefined || KeyMaterialId === id
  if (isWanted && key.materials.some((material) => material.id === id)) return
  throw new AwsException(
    'IncorrectKeyMaterialException',
    'The key material is not one that was imported into this key before.',
  )
}
