import { epochSeconds } from '../../protocol/json.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { symmetricDefault } from './key-use.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export function keyMetadata(key: Key, { account }: State): Record<string, unknown> {
  return {
    AWSAccountId: account.accountId,
    Arn: key.arn,
    CreationDate: epochSeconds(key.createdAt),
    CurrentKeyMaterialId: key.currentBackingKey.id,
    CustomerMasterKeySpec: symmetricDefault,
    Description: key.description,
    Enabled: key.enabled,
    EncryptionAlgorithms: [symmetricDefault],
    KeyId: key.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: symmetricDefault,
    KeyState: key.enabled ? 'Enabled' : 'Disabled',
    KeyUsage: 'ENCRYPT_DECRYPT',
    MultiRegion: false,
    Origin: 'AWS_KMS',
  }
}
