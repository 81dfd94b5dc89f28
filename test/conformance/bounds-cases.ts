import { apiPage, type ConformanceCase } from './conformance-case.ts'
import { keyOperations } from './key-operations.ts'
import { type Members, rootArn } from './world.ts'

const text = (length: number): string => 'x'.repeat(length)
const bytes = (length: number): string => Buffer.alloc(length, 1).toString('base64')
const tags = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({ TagKey: `k${n}`, TagValue: 'v' }))

type Bound = readonly [operation: string, change: string, members: Members, outcome: string]

/** A request that is valid but for these members (`undefined` leaves one out), and what Amazon makes of it. */
const bounds: readonly Bound[] = [
  ['CreateKey', 'a description of 8192 characters', { Description: text(8192) }, 'ok'],
  ['CreateKey', 'a description of 8193 characters', { Description: text(8193) }, 'ValidationException'],
  ['CreateKey', '50 tags', { Tags: tags(50) }, 'ok'],
  ['CreateKey', '51 tags', { Tags: tags(51) }, 'TagException'],
  ['CreateKey', 'the same tag key twice', { Tags: [...tags(1), ...tags(1)] }, 'TagException'],
  [
    'CreateKey',
    'a tag key of 129 characters',
    { Tags: [{ TagKey: text(129), TagValue: '' }] },
    'ValidationException',
  ],
  [
    'CreateKey',
    'a tag value of 257 characters',
    { Tags: [{ TagKey: 'k', TagValue: text(257) }] },
    'ValidationException',
  ],
  ['CreateKey', 'a policy that is not JSON', { Policy: 'no' }, 'MalformedPolicyDocumentException'],
  ['CreateKey', 'an unknown key spec', { KeySpec: 'AES_512' }, 'ValidationException'],
  [
    'CreateKey',
    'an asymmetric key spec',
    { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
    'UnsupportedOperationException',
  ],
  ['CreateKey', 'a description that is a number', { Description: 1 }, 'SerializationException'],
  ['Encrypt', 'a plaintext of 4096 bytes', { Plaintext: bytes(4096) }, 'ok'],
  ['Encrypt', 'a plaintext of 4097 bytes', { Plaintext: bytes(4097) }, 'ValidationException'],
  ['Encrypt', 'an empty plaintext', { Plaintext: '' }, 'ValidationException'],
  ['Encrypt', 'no plaintext', { Plaintext: undefined }, 'ValidationException'],
  ['Encrypt', 'a plaintext that is not base64', { Plaintext: '%%' }, 'SerializationException'],
  ['Encrypt', 'no key', { KeyId: undefined }, 'ValidationException'],
  ['Encrypt', 'an empty key id', { KeyId: '' }, 'ValidationException'],
  ['Encrypt', 'a key id of 2049 characters', { KeyId: text(2049) }, 'ValidationException'],
  ['Encrypt', 'an unknown algorithm', { EncryptionAlgorithm: 'ROT13' }, 'ValidationException'],
  [
    'Encrypt',
    'an algorithm of other keys',
    { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
    'InvalidKeyUsageException',
  ],
  ['Encrypt', 'a context value that is no text', { EncryptionContext: { a: 1 } }, 'SerializationException'],
  [
    'Encrypt',
    'eleven grant tokens',
    { GrantTokens: Array.from({ length: 11 }, () => 'x') },
    'ValidationException',
  ],
  ['Encrypt', 'a grant token that is none', { GrantTokens: ['nonsense'] }, 'InvalidGrantTokenException'],
  ['Encrypt', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['Decrypt', 'a blob of 6145 bytes', { CiphertextBlob: bytes(6145) }, 'ValidationException'],
  ['Decrypt', 'no blob', { CiphertextBlob: undefined }, 'ValidationException'],
  ['Decrypt', 'a blob that is none', { CiphertextBlob: bytes(100) }, 'InvalidCiphertextException'],
  ['Decrypt', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['ReEncrypt', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['ReEncrypt', 'no destination', { DestinationKeyId: undefined }, 'ValidationException'],
  ['GenerateDataKey', 'neither length nor spec', { KeySpec: undefined }, 'ValidationException'],
  ['GenerateDataKey', 'both length and spec', { NumberOfBytes: 16 }, 'ValidationException'],
  ['GenerateDataKey', '1024 bytes', { KeySpec: undefined, NumberOfBytes: 1024 }, 'ok'],
  ['GenerateDataKey', '1025 bytes', { KeySpec: undefined, NumberOfBytes: 1025 }, 'ValidationException'],
  ['GenerateDataKey', '0 bytes', { KeySpec: undefined, NumberOfBytes: 0 }, 'ValidationException'],
  ['GenerateDataKey', 'an unknown spec', { KeySpec: 'AES_192' }, 'ValidationException'],
  ['GenerateDataKey', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['GenerateDataKeyWithoutPlaintext', '1025 bytes', { NumberOfBytes: 1025 }, 'ValidationException'],
  ['GenerateDataKeyWithoutPlaintext', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['GenerateRandom', '1024 bytes', { NumberOfBytes: 1024 }, 'ok'],
  ['GenerateRandom', '1025 bytes', { NumberOfBytes: 1025 }, 'ValidationException'],
  ['GenerateRandom', 'no length', {}, 'ValidationException'],
  ['ScheduleKeyDeletion', '6 days', { PendingWindowInDays: 6 }, 'ValidationException'],
  ['ScheduleKeyDeletion', '7 days', { PendingWindowInDays: 7 }, 'ok'],
  ['ScheduleKeyDeletion', '30 days', { PendingWindowInDays: 30 }, 'ok'],
  ['ScheduleKeyDeletion', '31 days', { PendingWindowInDays: 31 }, 'ValidationException'],
  ['EnableKeyRotation', '89 days', { RotationPeriodInDays: 89 }, 'ValidationException'],
  ['EnableKeyRotation', '90 days', { RotationPeriodInDays: 90 }, 'ok'],
  ['EnableKeyRotation', '2560 days', { RotationPeriodInDays: 2560 }, 'ok'],
  ['EnableKeyRotation', '2561 days', { RotationPeriodInDays: 2561 }, 'ValidationException'],
  ['CreateAlias', 'a name without its prefix', { AliasName: 'payroll' }, 'ValidationException'],
  [
    'CreateAlias',
    'a name that Amazon keeps',
    { AliasName: 'alias/aws/payroll' },
    'InvalidAliasNameException',
  ],
  ['CreateAlias', 'a name with a space', { AliasName: 'alias/pay roll' }, 'ValidationException'],
  ['CreateAlias', 'a name of 257 characters', { AliasName: `alias/${text(251)}` }, 'ValidationException'],
  ['DeleteAlias', 'an alias that is not there', { AliasName: 'alias/nothing' }, 'NotFoundException'],
  ['DeleteAlias', 'no alias', {}, 'ValidationException'],
  ['CreateGrant', 'no operations', { Operations: undefined }, 'ValidationException'],
  ['CreateGrant', 'an operation of other keys', { Operations: ['Sign'] }, 'ValidationException'],
  ['CreateGrant', 'an unknown operation', { Operations: ['Rewrap'] }, 'ValidationException'],
  ['CreateGrant', 'a name of 257 characters', { Name: text(257) }, 'ValidationException'],
  ['CreateGrant', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['RevokeGrant', 'a grant that is not there', { GrantId: 'f'.repeat(64) }, 'NotFoundException'],
  ['RevokeGrant', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['RetireGrant', 'a dry run', { DryRun: true }, 'DryRunOperationException'],
  ['ListGrants', '1001 at once', { Limit: 1001 }, 'ValidationException'],
  ['ListGrants', '0 at once', { Limit: 0 }, 'ValidationException'],
  ['ListGrants', 'a marker that is none', { Marker: 'nonsense' }, 'InvalidMarkerException'],
  ['ListKeys', '1000 at once', { Limit: 1000 }, 'ok'],
  ['ListKeys', '1001 at once', { Limit: 1001 }, 'ValidationException'],
  ['ListKeys', 'a marker that is none', { Marker: 'nonsense' }, 'InvalidMarkerException'],
  ['ListAliases', '1001 at once', { Limit: 1001 }, 'ValidationException'],
  ['ListRetirableGrants', 'no principal', {}, 'ValidationException'],
  ['ListRetirableGrants', 'a principal', { RetiringPrincipal: rootArn }, 'ok'],
  ['ListRetirableGrants', '0 at once', { RetiringPrincipal: rootArn, Limit: 0 }, 'ValidationException'],
  ['ListKeyRotations', '1001 at once', { Limit: 1001 }, 'ValidationException'],
  ['GetKeyPolicy', 'another policy name', { PolicyName: 'other' }, 'NotFoundException'],
  ['PutKeyPolicy', 'another policy name', { PolicyName: 'other' }, 'NotFoundException'],
  ['PutKeyPolicy', 'no policy', { Policy: undefined }, 'ValidationException'],
  [
    'PutKeyPolicy',
    'a policy with an unknown condition operator',
    { Policy: policyWith({ StringSounds: { a: 'b' } }) },
    'MalformedPolicyDocumentException',
  ],
  [
    'PutKeyPolicy',
    'a principal that does not exist',
    { Policy: policyFor('arn:aws:iam::111122223333:user/nobody') },
    'MalformedPolicyDocumentException',
  ],
  [
    'TagResource',
    'a tag key that Amazon keeps',
    { Tags: [{ TagKey: 'aws:x', TagValue: '' }] },
    'TagException',
  ],
  [
    'TagResource',
    'a tag key with a character that it must not have',
    { Tags: [{ TagKey: 'a#b', TagValue: '' }] },
    'TagException',
  ],
  ['UpdateKeyDescription', '8193 characters', { Description: text(8193) }, 'ValidationException'],
  ['ReplicateKey', 'the region of the primary key', { ReplicaRegion: 'us-east-1' }, 'AlreadyExistsException'],
  [
    'GetParametersForImport',
    'an unknown wrapping algorithm',
    { WrappingAlgorithm: 'NONE' },
    'ValidationException',
  ],
  ['ImportKeyMaterial', 'a token that is none', { ImportToken: bytes(100) }, 'InvalidImportTokenException'],
  [
    'ImportKeyMaterial',
    'other bytes than before',
    { EncryptedKeyMaterial: bytes(256) },
    'InvalidCiphertextException',
  ],
]

export const boundsCases: readonly ConformanceCase[] = bounds.map(
  ([operation, variation, changed, outcome]) => ({
    operation,
    topic: 'bounds',
    variation,
    outcome,
    source: apiPage(operation),
    async ask(world) {
      const of = keyOperations.find((one) => one.operation === operation)
      if (of === undefined) return (await world.ask(operation, changed)).outcome
      const key = await world.key(of.situation ?? 'Enabled')
      const valid = { ...(await of.others(key, world)), [of.member]: key.arn }
      return (await world.ask(operation, { ...valid, ...changed })).outcome
    },
  }),
)

function policyWith(Condition: object): string {
  const statement = { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'kms:*', Resource: '*' }
  return JSON.stringify({ Statement: [statement, { ...statement, Condition }] })
}

function policyFor(AWS: string): string {
  return JSON.stringify({
    Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' }],
  })
}
