import { keyArn } from '../../arn.ts'
import { epochSeconds } from '../../protocol/json.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { symmetricDefault } from './key-use.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export function keyMetadata(key: Key, state: State): Record<string, unknown> {
  return {
    AWSAccountId: state.account.accountId,
    Arn: key.arn,
    CreationDate: epochSeconds(key.createdAt),
    CurrentKeyMaterialId: key.currentMaterialId,
    CustomerMasterKeySpec: symmetricDefault,
    DeletionDate: key.deletionDate && epochSeconds(key.deletionDate),
    Description: key.description,
    Enabled: key.state === 'Enabled',
    EncryptionAlgorithms: [symmetricDefault],
    ...expiration(key),
    KeyId: key.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: symmetricDefault,
    KeyState: key.state,
    KeyUsage: 'ENCRYPT_DECRYPT',
    MultiRegion: key.multiRegion !== undefined,
    MultiRegionConfiguration: multiRegionConfiguration(key, state),
    Origin: key.origin,
    PendingDeletionWindowInDays: key.pendingWindowDays,
  }
}

/** Of imported key material that is there, and that the key can't do without. */
function expiration({ origin, materials }: Key): Record<string, unknown> {
  const present = materials.filter((one) => one.isPresent && one.state !== 'PENDING_ROTATION')
  if (origin !== 'EXTERNAL' || present.length === 0) return {}
  const ends = present.flatMap(({ expiresAt }) => expiresAt?.getTime() ?? [])
  if (ends.length === 0) return { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
  return {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: epochSeconds(new Date(Math.min(...ends))),
  }
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_MultiRegionConfiguration.html */
function multiRegionConfiguration(
  key: Key,
  { account: { accountId }, keys }: State,
): Record<string, unknown> | undefined {
  if (key.multiRegion === undefined) return undefined
  const { type, primaryRegion } = key.multiRegion
  const named = (region: string): Record<string, string> => ({
    Arn: keyArn({ accountId, region }, key.keyId),
    Region: region,
  })
  return {
    MultiRegionKeyType: type,
    PrimaryKey: named(primaryRegion),
    ReplicaKeys: keys
      .relatedRegions(key)
      .filter((region) => region !== primaryRegion)
      .map(named),
  }
}
