import { accountId, type CaseKey, context, type Members, otherRegion, rootArn, type World } from './world.ts'

/** An operation on one key, as a valid request for it. */
export interface KeyOperation {
  readonly operation: string
  /** The member that names the key. */
  readonly member: 'KeyId' | 'TargetKeyId' | 'SourceKeyId' | 'DestinationKeyId'
  /** `id`: key ids and key ARNs; `any`: aliases and alias ARNs too; `arn`: key ARNs alone. */
  readonly forms: 'id' | 'any' | 'arn'
  /** The other members; makes what has to be there first. */
  readonly others: (key: CaseKey, world: World) => Promise<Members> | Members
  /** What the caller has to be allowed; `kms:` and the operation's name when left out. */
  readonly actions?: readonly string[]
  /** Of what kind the key has to be for the request to succeed. */
  readonly situation?: 'Enabled' | 'PendingDeletion' | 'imported' | 'multi-Region'
}

const plaintext = Buffer.alloc(16, 1).toString('base64')
const none = (): Members => ({})
const tag = { TagKey: 'team', TagValue: 'payroll' }

async function grant(key: CaseKey, world: World): Promise<Members> {
  const { GrantId } = await world.must('CreateGrant', {
    KeyId: key.keyId,
    GranteePrincipal: rootArn,
    Operations: ['Decrypt', 'RetireGrant'],
  })
  return { GrantId }
}

/** Every operation of KMS for symmetric keys that names an existing key. */
export const keyOperations: readonly KeyOperation[] = [
  {
    operation: 'CancelKeyDeletion',
    member: 'KeyId',
    forms: 'id',
    others: none,
    situation: 'PendingDeletion',
  },
  {
    operation: 'CreateAlias',
    member: 'TargetKeyId',
    forms: 'id',
    others: ({ aliasName }) => ({ AliasName: `${aliasName}/second` }),
  },
  {
    operation: 'CreateGrant',
    member: 'KeyId',
    forms: 'id',
    others: () => ({ GranteePrincipal: rootArn, Operations: ['Decrypt'] }),
  },
  {
    operation: 'Decrypt',
    member: 'KeyId',
    forms: 'any',
    others: ({ blob }) => ({ CiphertextBlob: blob, EncryptionContext: context }),
  },
  {
    operation: 'DeleteImportedKeyMaterial',
    member: 'KeyId',
    forms: 'id',
    others: none,
    situation: 'imported',
  },
  { operation: 'DescribeKey', member: 'KeyId', forms: 'any', others: none },
  { operation: 'DisableKey', member: 'KeyId', forms: 'id', others: none },
  { operation: 'DisableKeyRotation', member: 'KeyId', forms: 'id', others: none },
  { operation: 'EnableKey', member: 'KeyId', forms: 'id', others: none },
  { operation: 'EnableKeyRotation', member: 'KeyId', forms: 'id', others: none },
  { operation: 'Encrypt', member: 'KeyId', forms: 'any', others: () => ({ Plaintext: plaintext }) },
  { operation: 'GenerateDataKey', member: 'KeyId', forms: 'any', others: () => ({ KeySpec: 'AES_256' }) },
  {
    operation: 'GenerateDataKeyWithoutPlaintext',
    member: 'KeyId',
    forms: 'any',
    others: () => ({ NumberOfBytes: 16 }),
  },
  { operation: 'GetKeyLastUsage', member: 'KeyId', forms: 'id', others: none },
  { operation: 'GetKeyPolicy', member: 'KeyId', forms: 'id', others: none },
  { operation: 'GetKeyRotationStatus', member: 'KeyId', forms: 'id', others: none },
  {
    operation: 'GetParametersForImport',
    member: 'KeyId',
    forms: 'id',
    others: () => ({ WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }),
    situation: 'imported',
  },
  {
    operation: 'ImportKeyMaterial',
    member: 'KeyId',
    forms: 'id',
    others: ({ keyId }, world) => world.importMembers(keyId),
    situation: 'imported',
  },
  { operation: 'ListAliases', member: 'KeyId', forms: 'id', others: none },
  { operation: 'ListGrants', member: 'KeyId', forms: 'id', others: none },
  { operation: 'ListKeyPolicies', member: 'KeyId', forms: 'id', others: none },
  { operation: 'ListKeyRotations', member: 'KeyId', forms: 'id', others: none },
  { operation: 'ListResourceTags', member: 'KeyId', forms: 'id', others: none },
  {
    operation: 'PutKeyPolicy',
    member: 'KeyId',
    forms: 'id',
    others: () => ({ Policy: JSON.stringify(delegatingPolicy), BypassPolicyLockoutSafetyCheck: true }),
  },
  {
    operation: 'ReEncrypt',
    member: 'DestinationKeyId',
    forms: 'any',
    others: ({ blob }) => ({ CiphertextBlob: blob, SourceEncryptionContext: context }),
    actions: ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  },
  {
    operation: 'ReplicateKey',
    member: 'KeyId',
    forms: 'id',
    others: () => ({ ReplicaRegion: otherRegion }),
    actions: ['kms:ReplicateKey', 'kms:CreateKey'],
    situation: 'multi-Region',
  },
  { operation: 'RetireGrant', member: 'KeyId', forms: 'arn', others: grant },
  { operation: 'RevokeGrant', member: 'KeyId', forms: 'id', others: grant },
  { operation: 'RotateKeyOnDemand', member: 'KeyId', forms: 'id', others: none },
  { operation: 'ScheduleKeyDeletion', member: 'KeyId', forms: 'id', others: none },
  { operation: 'TagResource', member: 'KeyId', forms: 'id', others: () => ({ Tags: [tag] }) },
  { operation: 'UntagResource', member: 'KeyId', forms: 'id', others: () => ({ TagKeys: ['team'] }) },
  {
    operation: 'UpdateAlias',
    member: 'TargetKeyId',
    forms: 'id',
    others: ({ aliasName }) => ({ AliasName: aliasName }),
  },
  {
    operation: 'UpdateKeyDescription',
    member: 'KeyId',
    forms: 'id',
    others: () => ({ Description: 'new' }),
  },
  {
    operation: 'UpdatePrimaryRegion',
    member: 'KeyId',
    forms: 'id',
    async others({ keyId }, world) {
      await world.must('ReplicateKey', { KeyId: keyId, ReplicaRegion: otherRegion })
      return { PrimaryRegion: otherRegion }
    },
    situation: 'multi-Region',
  },
]

/** The key policy that leaves everything to the account: the one of a key that was made without. */
export const delegatingPolicy = {
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: 'kms:*', Resource: '*' },
  ],
}

export function keyOperation(name: string): KeyOperation {
  const found = keyOperations.find(({ operation }) => operation === name)
  if (found === undefined) throw new Error(`${name} is no operation on a key`)
  return found
}
