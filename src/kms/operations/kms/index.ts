import type { Operation } from '../operation.ts'
import { createAlias } from './create-alias.ts'
import { createKey } from './create-key.ts'
import { decryptOperation } from './decrypt.ts'
import { describeKey } from './describe-key.ts'
import { disableKey } from './disable-key.ts'
import { enableKey } from './enable-key.ts'
import { encryptOperation } from './encrypt.ts'
import { generateDataKeyWithoutPlaintext } from './generate-data-key-without-plaintext.ts'
import { generateDataKey } from './generate-data-key.ts'
import { getKeyPolicy } from './get-key-policy.ts'
import { listAliases } from './list-aliases.ts'
import { listKeys } from './list-keys.ts'
import { putKeyPolicy } from './put-key-policy.ts'
import { reEncrypt } from './re-encrypt.ts'

/** The operations of KMS that this service answers. */
export const kmsOperations: readonly Operation<object | undefined>[] = [
  createAlias,
  createKey,
  decryptOperation,
  describeKey,
  disableKey,
  enableKey,
  encryptOperation,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  getKeyPolicy,
  listAliases,
  listKeys,
  putKeyPolicy,
  reEncrypt,
]

/** The operations of KMS that Amazon has and this service does not have yet. */
export const missingKmsOperations: readonly string[] = [
  'CancelKeyDeletion',
  'ConnectCustomKeyStore',
  'CreateCustomKeyStore',
  'CreateGrant',
  'DeleteAlias',
  'DeleteCustomKeyStore',
  'DeleteImportedKeyMaterial',
  'DeriveSharedSecret',
  'DescribeCustomKeyStores',
  'DisableKeyRotation',
  'DisconnectCustomKeyStore',
  'EnableKeyRotation',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'GenerateRandom',
  'GetKeyLastUsage',
  'GetKeyRotationStatus',
  'GetParametersForImport',
  'GetPublicKey',
  'ImportKeyMaterial',
  'ListGrants',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
  'ListRetirableGrants',
  'ReplicateKey',
  'RetireGrant',
  'RevokeGrant',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
  'Sign',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateCustomKeyStore',
  'UpdateKeyDescription',
  'UpdatePrimaryRegion',
  'Verify',
  'VerifyMac',
]
