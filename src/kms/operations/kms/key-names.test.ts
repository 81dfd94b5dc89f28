import * as sdk from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { kmsOperations } from './index.ts'

/*
 * The four ways to name a key: key id, key ARN, alias name, alias ARN. Which of them each operation takes is in the
 * description of its `KeyId` member: https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 */

const account = 'arn:aws:kms:us-east-1:111122223333:'
const unknownKeyId = '00112233-4455-6677-8899-aabbccddeeff'
const Plaintext = Buffer.from('x')
const grantId = 'ab'.repeat(32)

interface Made {
  readonly kms: sdk.KMSClient
  readonly blob: Uint8Array | undefined
}

type Call = (name: string, made: Made) => Promise<unknown>

interface Row {
  readonly call: Call
  /** What the operation answers when the key is found; undefined: it succeeds. */
  readonly found?: string
  /** How an alias is refused where it is no key that can't be found. */
  readonly aliasRefused?: string
}

/** By operation and member. These take all four. */
const anyName: Readonly<Record<string, Row>> = {
  'Decrypt KeyId': {
    call: (KeyId, { kms, blob }) => kms.send(new sdk.DecryptCommand({ KeyId, CiphertextBlob: blob })),
  },
  'DescribeKey KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.DescribeKeyCommand({ KeyId })) },
  'Encrypt KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.EncryptCommand({ KeyId, Plaintext })) },
  'GenerateDataKey KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
  },
  'GenerateDataKeyWithoutPlaintext KeyId': {
    call: (KeyId, { kms }) =>
      kms.send(new sdk.GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
  },
  'ReEncrypt SourceKeyId': {
    call: (SourceKeyId, { kms, blob }) =>
      kms.send(
        new sdk.ReEncryptCommand({
          SourceKeyId,
          CiphertextBlob: blob,
          DestinationKeyId: 'alias/destination',
        }),
      ),
  },
  'ReEncrypt DestinationKeyId': {
    call: (DestinationKeyId, { kms, blob }) =>
      kms.send(new sdk.ReEncryptCommand({ DestinationKeyId, CiphertextBlob: blob })),
  },
}

const importing = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const
const imported = { ImportToken: Plaintext, EncryptedKeyMaterial: Plaintext } as const

/** These take a key id and a key ARN. */
const keyOnly: Readonly<Record<string, Row>> = {
  'CancelKeyDeletion KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.CancelKeyDeletionCommand({ KeyId })),
    found: 'KMSInvalidStateException',
  },
  'CreateAlias TargetKeyId': {
    call: (TargetKeyId, { kms }) =>
      kms.send(
        new sdk.CreateAliasCommand({ AliasName: `alias/${Math.random()}`.replace('.', '_'), TargetKeyId }),
      ),
    aliasRefused: 'ValidationException',
  },
  'CreateGrant KeyId': {
    call: (KeyId, { kms }) =>
      kms.send(
        new sdk.CreateGrantCommand({
          KeyId,
          GranteePrincipal: 'arn:aws:iam::111122223333:root',
          Operations: ['Encrypt'],
        }),
      ),
  },
  'DeleteImportedKeyMaterial KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.DeleteImportedKeyMaterialCommand({ KeyId })),
    found: 'UnsupportedOperationException',
  },
  'DisableKey KeyId': {
    call: async (KeyId, { kms }) => {
      await kms.send(new sdk.DisableKeyCommand({ KeyId }))
      await kms.send(new sdk.EnableKeyCommand({ KeyId }))
    },
  },
  'DisableKeyRotation KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.DisableKeyRotationCommand({ KeyId })),
  },
  'EnableKey KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.EnableKeyCommand({ KeyId })) },
  'EnableKeyRotation KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.EnableKeyRotationCommand({ KeyId })),
  },
  'GetKeyLastUsage KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.GetKeyLastUsageCommand({ KeyId })) },
  'GetKeyPolicy KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.GetKeyPolicyCommand({ KeyId })) },
  'GetKeyRotationStatus KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.GetKeyRotationStatusCommand({ KeyId })),
  },
  'GetParametersForImport KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.GetParametersForImportCommand({ KeyId, ...importing })),
    found: 'UnsupportedOperationException',
  },
  'ImportKeyMaterial KeyId': {
    call: (KeyId, { kms }) =>
      kms.send(
        new sdk.ImportKeyMaterialCommand({
          KeyId,
          ...imported,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      ),
    found: 'UnsupportedOperationException',
  },
  'ListAliases KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.ListAliasesCommand({ KeyId })) },
  'ListGrants KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.ListGrantsCommand({ KeyId })) },
  'ListKeyPolicies KeyId': { call: (KeyId, { kms }) => kms.send(new sdk.ListKeyPoliciesCommand({ KeyId })) },
  'ListKeyRotations KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.ListKeyRotationsCommand({ KeyId })),
  },
  'ListResourceTags KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.ListResourceTagsCommand({ KeyId })),
  },
  'PutKeyPolicy KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy: '{}' })),
    found: 'MalformedPolicyDocumentException',
  },
  'ReplicateKey KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' })),
    found: 'UnsupportedOperationException',
  },
  'RetireGrant KeyId': {
    // The key is found when the grant is not.
    call: (KeyId, { kms }) => kms.send(new sdk.RetireGrantCommand({ KeyId, GrantId: grantId })),
    found: `NotFoundException: Grant ID ${grantId} not found`,
  },
  'RevokeGrant KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.RevokeGrantCommand({ KeyId, GrantId: grantId })),
    found: `NotFoundException: Grant ID ${grantId} not found`,
  },
  'RotateKeyOnDemand KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.RotateKeyOnDemandCommand({ KeyId })),
  },
  'ScheduleKeyDeletion KeyId': {
    call: async (KeyId, { kms }) => {
      await kms.send(new sdk.ScheduleKeyDeletionCommand({ KeyId }))
      await kms.send(new sdk.CancelKeyDeletionCommand({ KeyId }))
      await kms.send(new sdk.EnableKeyCommand({ KeyId }))
    },
  },
  'TagResource KeyId': {
    call: (KeyId, { kms }) =>
      kms.send(new sdk.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
  },
  'UntagResource KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
  },
  'UpdateAlias TargetKeyId': {
    call: (TargetKeyId, { kms }) =>
      kms.send(new sdk.UpdateAliasCommand({ AliasName: 'alias/moved', TargetKeyId })),
    aliasRefused: 'ValidationException',
  },
  'UpdateKeyDescription KeyId': {
    call: (KeyId, { kms }) => kms.send(new sdk.UpdateKeyDescriptionCommand({ KeyId, Description: 'd' })),
  },
  'UpdatePrimaryRegion KeyId': {
    call: (KeyId, { kms }) =>
      kms.send(new sdk.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' })),
    found: 'UnsupportedOperationException',
  },
}

const withoutKey = ['CreateKey', 'DeleteAlias', 'GenerateRandom', 'ListKeys', 'ListRetirableGrants']

/** Names of no key, and what all operations say of them. */
const wrongNames: readonly [name: string, message: RegExp][] = [
  [
    unknownKeyId,
    /^Key 'arn:aws:kms:us-east-1:111122223333:key\/00112233-4455-6677-8899-aabbccddeeff' does not exist$/,
  ],
  [`${account}key/${unknownKeyId}`, /does not exist$/],
  [`arn:aws:kms:us-east-1:999999999999:key/${unknownKeyId}`, /does not exist$/],
  [`arn:aws:kms:eu-west-1:111122223333:key/${unknownKeyId}`, /^Invalid arn eu-west-1$/],
  [`mrk-${'0'.repeat(32)}`, /does not exist$/],
  ['no-such-form', /^Invalid keyId 'no-such-form'$/],
  [unknownKeyId.toUpperCase(), /^Invalid keyId/],
  ['arn:aws:kms:us-east-1', /^Invalid arn arn:aws:kms:us-east-1$/],
  ['arn:aws:s3:::bucket', /^Invalid arn arn:aws:s3:::bucket$/],
  [`${account}key/`, /^Invalid arn/],
]

async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    assert.ok(error instanceof sdk.KMSServiceException, String(error))
    return `${error.name}: ${error.message}`
  }
}

function assertOutcome(actual: string, expected: string, title: string): void {
  assert.ok(actual.startsWith(expected), `${title}: ${actual}, not ${expected}`)
}

describe('the ways to name a key', () => {
  test('every operation that has a key to name is in the tables', () => {
    const inTables = Object.keys({ ...anyName, ...keyOnly }).map((row) => row.split(' ')[0])
    assert.deepEqual(
      [...new Set([...inTables, ...withoutKey])].sort(),
      kmsOperations.map(({ name }) => name).sort(),
    )
  })

  test('each operation takes those that Amazon documents, and no others', async (t) => {
    const service = await startTestService(t, { regions: ['us-east-1', 'eu-west-1'] })
    const kms = service.kms()
    const { KeyMetadata } = await kms.send(new sdk.CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key id')
    const destination = (await kms.send(new sdk.CreateKeyCommand({}))).KeyMetadata?.KeyId
    await kms.send(new sdk.CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyId }))
    await kms.send(new sdk.CreateAliasCommand({ AliasName: 'alias/moved', TargetKeyId: KeyId }))
    await kms.send(new sdk.CreateAliasCommand({ AliasName: 'alias/destination', TargetKeyId: destination }))
    const { CiphertextBlob: blob } = await kms.send(new sdk.EncryptCommand({ KeyId, Plaintext }))
    const made = { kms, blob }
    let asked = 0
    for (const [row, { call, found = 'ok', aliasRefused }] of Object.entries({ ...anyName, ...keyOnly })) {
      for (const name of [KeyId, `${account}key/${KeyId}`]) {
        assertOutcome(await outcome(call(name, made)), found, `${row} of ${name}`)
        asked += 1
      }
      for (const name of ['alias/a', `${account}alias/a`]) {
        const refused = `${aliasRefused ?? 'NotFoundException'}: `
        const expected = row in anyName ? found : refused
        assertOutcome(await outcome(call(name, made)), expected, `${row} of ${name}`)
        asked += 1
      }
      for (const [name, message] of wrongNames) {
        const answer = await outcome(call(name, made))
        assertOutcome(answer, 'NotFoundException: ', `${row} of ${name}`)
        assert.match(answer.slice('NotFoundException: '.length), message, `${row} of ${name}`)
        asked += 1
      }
      for (const name of ['', 'x'.repeat(2049)]) {
        assertOutcome(
          await outcome(call(name, made)),
          'ValidationException: 1 validation',
          `${row} of ${name}`,
        )
        asked += 1
      }
    }
    for (const [row, { call }] of Object.entries(anyName)) {
      const table: [name: string, message: string][] = [
        ['alias/none', 'Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found.'],
        [`${account}alias/none`, 'Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found.'],
        ['arn:aws:kms:eu-west-1:111122223333:alias/a', 'Invalid arn eu-west-1'],
        [
          'arn:aws:kms:us-east-1:999999999999:alias/a',
          "Key 'arn:aws:kms:us-east-1:999999999999:alias/a' does",
        ],
        ['alias/', 'Alias arn:aws:kms:us-east-1:111122223333:alias/ is not found.'],
      ]
      for (const [name, message] of table) {
        assertOutcome(await outcome(call(name, made)), `NotFoundException: ${message}`, `${row} of ${name}`)
        asked += 1
      }
    }
    assert.equal(asked, 36 * 16 + 7 * 5)
  })
})
