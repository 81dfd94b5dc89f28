import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  type DecryptCommandInput,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  type KeyMetadata,
  ListAliasesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'

const plaintext = Buffer.from('a data key')
const unknownKeyId = '00112233-4455-6677-8899-aabbccddeeff'

/** A key as its four names, all given. */
interface NewKey {
  readonly id: string
  readonly arn: string
  readonly metadata: KeyMetadata
}

async function newKey(
  client: KMSClient,
  options: { Policy?: string; Description?: string } = {},
): Promise<NewKey> {
  const { KeyMetadata: metadata } = await client.send(new CreateKeyCommand(options))
  assert.ok(metadata?.KeyId !== undefined && metadata.Arn !== undefined)
  return { id: metadata.KeyId, arn: metadata.Arn, metadata }
}

function encryptWith(client: KMSClient, key: string, context?: Record<string, string>): Promise<Uint8Array> {
  return client
    .send(new EncryptCommand({ KeyId: key, Plaintext: plaintext, EncryptionContext: context }))
    .then(({ CiphertextBlob }) => CiphertextBlob ?? assert.fail('no blob'))
}

describe('KMS operations, through the AWS SDK', () => {
  test('CreateKey and DescribeKey answer with the same metadata, by all four names', async (t) => {
    const client = (await startTestService(t)).kms()
    const key = await newKey(client, { Description: 'of a test' })
    assert.match(key.arn, /^arn:aws:kms:us-east-1:111122223333:key\/[0-9a-f-]{36}$/)
    const { CreationDate, CurrentKeyMaterialId, ...fixed } = key.metadata
    assert.ok(CreationDate !== undefined && Math.abs(CreationDate.getTime() - Date.now()) < 60_000)
    assert.match(CurrentKeyMaterialId ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(fixed, {
      AWSAccountId: '111122223333',
      Arn: key.arn,
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      Description: 'of a test',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyId: key.id,
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    })
    await client.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: key.arn }))
    for (const name of [key.id, key.arn, 'alias/a', 'arn:aws:kms:us-east-1:111122223333:alias/a']) {
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: name }))
      assert.deepEqual(KeyMetadata, key.metadata, name)
    }
  })

  test('the four names work for every cryptographic operation, and answers say the key ARN', async (t) => {
    const client = (await startTestService(t)).kms()
    const key = await newKey(client)
    await client.send(new CreateAliasCommand({ AliasName: 'alias/team/a_1', TargetKeyId: key.id }))
    const names = [key.id, key.arn, 'alias/team/a_1', 'arn:aws:kms:us-east-1:111122223333:alias/team/a_1']
    const blob = await encryptWith(client, key.id)
    for (const KeyId of names) {
      const answers = [
        await client.send(new EncryptCommand({ KeyId, Plaintext: plaintext })),
        await client.send(new DecryptCommand({ KeyId, CiphertextBlob: blob })),
        await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
        await client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_128' })),
        await client.send(
          new ReEncryptCommand({ SourceKeyId: KeyId, DestinationKeyId: KeyId, CiphertextBlob: blob }),
        ),
      ]
      for (const answer of answers) assert.equal(answer.KeyId, key.arn, KeyId)
    }
  })

  test('names of keys that are not there', async (t) => {
    const client = (await startTestService(t)).kms()
    const key = await newKey(client)
    await client.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: key.id }))
    const table: [name: string, message: RegExp][] = [
      [
        unknownKeyId,
        new RegExp(`^Key 'arn:aws:kms:us-east-1:111122223333:key/${unknownKeyId}' does not exist$`),
      ],
      ['no-such-form', /^Invalid keyId 'no-such-form'$/],
      ['alias/none', /^Alias arn:aws:kms:us-east-1:111122223333:alias\/none is not found\.$/],
      [key.arn.replace('us-east-1', 'eu-west-1'), /^Invalid arn eu-west-1$/],
      [key.arn.replace('111122223333', '999999999999'), /does not exist$/],
      ['arn:aws:kms:nowhere', /^Invalid arn/],
    ]
    for (const [KeyId, message] of table) {
      const expected = { name: 'NotFoundException', message }
      await assert.rejects(client.send(new DescribeKeyCommand({ KeyId })), expected, KeyId)
      await assert.rejects(client.send(new EncryptCommand({ KeyId, Plaintext: plaintext })), expected, KeyId)
    }
    for (const KeyId of ['alias/a', 'arn:aws:kms:us-east-1:111122223333:alias/a']) {
      const expected = { name: 'NotFoundException' }
      await assert.rejects(client.send(new DisableKeyCommand({ KeyId })), expected)
      await assert.rejects(client.send(new EnableKeyCommand({ KeyId })), expected)
      await assert.rejects(client.send(new GetKeyPolicyCommand({ KeyId })), expected)
      await assert.rejects(client.send(new PutKeyPolicyCommand({ KeyId, Policy: '{}' })), expected)
    }
  })

  test('the encryption context is authenticated', async (t) => {
    const client = (await startTestService(t)).kms()
    const key = await newKey(client)
    const context = { a: 'bc', d: 'e', ['__proto__']: 'x' }
    const { Plaintext, CiphertextBlob } = await client.send(
      new GenerateDataKeyCommand({ KeyId: key.id, KeySpec: 'AES_256', EncryptionContext: context }),
    )
    const wrapped = await client.send(
      new GenerateDataKeyWithoutPlaintextCommand({
        KeyId: key.id,
        NumberOfBytes: 7,
        EncryptionContext: context,
      }),
    )
    const blobs: [Uint8Array | undefined, number][] = [
      [CiphertextBlob, 32],
      [wrapped.CiphertextBlob, 7],
      [await encryptWith(client, key.id, context), plaintext.length],
    ]
    for (const [blob, length] of blobs) {
      for (const same of [context, { d: 'e', a: 'bc', ['__proto__']: 'x' }]) {
        const opened = await client.send(
          new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: same }),
        )
        assert.equal(opened.Plaintext?.length, length)
        assert.equal(opened.KeyMaterialId, key.metadata.CurrentKeyMaterialId)
      }
      const others: (Record<string, string> | undefined)[] = [
        undefined,
        {},
        { a: 'bc' },
        { ...context, f: 'g' },
        { ...context, a: 'BC' },
        { ab: 'c', d: 'e' },
      ]
      for (const other of others) {
        await assert.rejects(
          client.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: other })),
          { name: 'InvalidCiphertextException' },
        )
      }
    }
    assert.equal(Plaintext?.length, 32)
    const withoutContext = await encryptWith(client, key.id)
    await client.send(new DecryptCommand({ CiphertextBlob: withoutContext, EncryptionContext: {} }))
  })

  test('Decrypt takes the key from the blob, and refuses another key', async (t) => {
    const client = (await startTestService(t)).kms()
    const [key, other] = [await newKey(client), await newKey(client)]
    const blob = await encryptWith(client, key.id)
    const opened = await client.send(new DecryptCommand({ CiphertextBlob: blob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), plaintext)
    assert.equal(opened.EncryptionAlgorithm, 'SYMMETRIC_DEFAULT')
    const decrypt = (input: DecryptCommandInput): Promise<unknown> => client.send(new DecryptCommand(input))
    await assert.rejects(decrypt({ KeyId: other.id, CiphertextBlob: blob }), {
      name: 'IncorrectKeyException',
      message: 'The key ID in the request does not identify a CMK that can perform this operation.',
    })
    await assert.rejects(decrypt({ KeyId: unknownKeyId, CiphertextBlob: blob }), {
      name: 'NotFoundException',
    })
    const invalid = { name: 'InvalidCiphertextException' }
    await assert.rejects(decrypt({ CiphertextBlob: blob.subarray(1) }), invalid)
    await assert.rejects(decrypt({ CiphertextBlob: Buffer.from('AQICAHh0', 'base64') }), invalid)
    const damaged = Buffer.from(blob)
    damaged.writeUInt8(damaged.readUInt8(100) ^ 1, 100)
    await assert.rejects(decrypt({ CiphertextBlob: damaged }), invalid)
    const ofUnknownKey = Buffer.from(blob)
    ofUnknownKey.fill(7, 3, 19)
    await assert.rejects(decrypt({ CiphertextBlob: ofUnknownKey }), invalid)
    await assert.rejects(decrypt({ KeyId: key.id, CiphertextBlob: ofUnknownKey }), invalid)
    await assert.rejects(decrypt({ CiphertextBlob: blob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }), {
      name: 'InvalidKeyUsageException',
    })
  })

  test('ReEncrypt moves a blob to another key and context', async (t) => {
    const client = (await startTestService(t)).kms()
    const [source, destination] = [await newKey(client), await newKey(client)]
    const blob = await encryptWith(client, source.id, { of: 'source' })
    const moved = await client.send(
      new ReEncryptCommand({
        CiphertextBlob: blob,
        SourceEncryptionContext: { of: 'source' },
        DestinationKeyId: destination.id,
        DestinationEncryptionContext: { of: 'destination' },
      }),
    )
    assert.equal(moved.SourceKeyId, source.arn)
    assert.equal(moved.KeyId, destination.arn)
    assert.equal(moved.SourceKeyMaterialId, source.metadata.CurrentKeyMaterialId)
    assert.equal(moved.DestinationKeyMaterialId, destination.metadata.CurrentKeyMaterialId)
    const opened = await client.send(
      new DecryptCommand({
        CiphertextBlob: moved.CiphertextBlob,
        EncryptionContext: { of: 'destination' },
        KeyId: destination.id,
      }),
    )
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), plaintext)
  })

  test('a disabled key does nothing until it is enabled, and can still be described', async (t) => {
    const client = (await startTestService(t)).kms()
    const [key, other] = [await newKey(client), await newKey(client)]
    const [blob, otherBlob] = [await encryptWith(client, key.id), await encryptWith(client, other.id)]
    await client.send(new DisableKeyCommand({ KeyId: key.arn }))
    const uses: Record<string, () => Promise<unknown>> = {
      Encrypt: () => client.send(new EncryptCommand({ KeyId: key.id, Plaintext: plaintext })),
      Decrypt: () => client.send(new DecryptCommand({ CiphertextBlob: blob })),
      GenerateDataKey: () => client.send(new GenerateDataKeyCommand({ KeyId: key.id, KeySpec: 'AES_256' })),
      GenerateDataKeyWithoutPlaintext: () =>
        client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key.id, KeySpec: 'AES_256' })),
      'ReEncrypt, source': () =>
        client.send(new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId: other.id })),
      'ReEncrypt, destination': () =>
        client.send(new ReEncryptCommand({ CiphertextBlob: otherBlob, DestinationKeyId: key.id })),
    }
    for (const [name, use] of Object.entries(uses)) {
      await assert.rejects(use(), { name: 'DisabledException', message: `${key.arn} is disabled.` }, name)
    }
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: key.id }))
    assert.equal(KeyMetadata?.KeyState, 'Disabled')
    assert.equal(KeyMetadata.Enabled, false)
    await client.send(new GetKeyPolicyCommand({ KeyId: key.id }))
    await client.send(new EnableKeyCommand({ KeyId: key.id }))
    for (const use of Object.values(uses)) await use()
  })

  test('DryRun checks everything and does nothing', async (t) => {
    const client = (await startTestService(t)).kms()
    const key = await newKey(client)
    const CiphertextBlob = await encryptWith(client, key.id)
    const dry = { name: 'DryRunOperationException', $metadata: { httpStatusCode: 412 } }
    const isDry = (error: unknown): boolean => {
      assert.ok(error instanceof Error && '$metadata' in error)
      assert.equal(error.name, dry.name)
      assert.match(JSON.stringify(error.$metadata), /"httpStatusCode":412/)
      return true
    }
    const common = { KeyId: key.id, DryRun: true }
    await assert.rejects(client.send(new EncryptCommand({ ...common, Plaintext: plaintext })), isDry)
    await assert.rejects(client.send(new DecryptCommand({ ...common, CiphertextBlob })), isDry)
    await assert.rejects(client.send(new GenerateDataKeyCommand({ ...common, KeySpec: 'AES_256' })), isDry)
    await assert.rejects(
      client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: key.id, DryRun: true })),
      isDry,
    )
    const withoutBlob: Partial<DecryptCommandInput> = { DryRunModifiers: ['IGNORE_CIPHERTEXT'] }
    const invalid = { name: 'ValidationException' }
    const decrypt = (input: Partial<DecryptCommandInput>): Promise<unknown> =>
      client.send(new DecryptCommand({ CiphertextBlob: undefined, ...input }))
    await assert.rejects(decrypt({ ...common, ...withoutBlob }), isDry)
    await assert.rejects(
      decrypt({ ...common, ...withoutBlob, CiphertextBlob: Buffer.from('no blob at all') }),
      isDry,
    )
    await assert.rejects(decrypt({ DryRun: true, ...withoutBlob }), {
      ...invalid,
      message: /Value null at 'keyId'/,
    })
    await assert.rejects(decrypt({ KeyId: key.id, ...withoutBlob }), {
      ...invalid,
      message: /DryRun is true/,
    })
    await assert.rejects(decrypt(common), { ...invalid, message: /Value null at 'ciphertextBlob'/ })
    await assert.rejects(
      client.send(
        new ReEncryptCommand({
          CiphertextBlob: undefined,
          SourceKeyId: key.id,
          DestinationKeyId: key.id,
          DryRun: true,
          DryRunModifiers: ['IGNORE_CIPHERTEXT'],
        }),
      ),
      isDry,
    )
    await client.send(new DisableKeyCommand({ KeyId: key.id }))
    await assert.rejects(client.send(new DecryptCommand({ ...common, CiphertextBlob })), {
      name: 'DisabledException',
    })
    await assert.rejects(decrypt({ ...common, ...withoutBlob }), { name: 'DisabledException' })
  })

  test('what is out of bounds or not supported yet is refused by name', async (t) => {
    const client = (await startTestService(t)).kms()
    const key = await newKey(client)
    const KeyId = key.id
    const table: [() => Promise<unknown>, name: string, message: RegExp][] = [
      [
        () => client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })),
        'ValidationException',
        /^1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096$/,
      ],
      [
        () => client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(0) })),
        'ValidationException',
        /greater than or equal to 1$/,
      ],
      [
        () => client.send(new EncryptCommand({ KeyId: undefined, Plaintext: plaintext })),
        'ValidationException',
        /Value null at 'keyId'.*must not be null/,
      ],
      [
        () => client.send(new DecryptCommand({ CiphertextBlob: Buffer.alloc(6145) })),
        'ValidationException',
        /6144/,
      ],
      [
        () => encryptWith(client, KeyId, { a: 'x'.repeat(4096), b: 'é'.repeat(2048) }),
        'ValidationException',
        /^1 validation error detected: Value at 'encryptionContext' failed .* 8192 bytes/,
      ],
      [
        () => client.send(new GenerateDataKeyCommand({ KeyId })),
        'ValidationException',
        /either number of bytes or key spec/,
      ],
      [
        () => client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', NumberOfBytes: 5 })),
        'ValidationException',
        /either/,
      ],
      [
        () => client.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 1025 })),
        'ValidationException',
        /value less than or equal to 1024/,
      ],
      [
        () => client.send(new CreateKeyCommand({ Description: 'x'.repeat(8193) })),
        'ValidationException',
        /8192/,
      ],
      [() => client.send(new ListKeysCommand({ Limit: 1001 })), 'ValidationException', /1000/],
      [() => client.send(new ListKeysCommand({ Limit: 0 })), 'ValidationException', /1$/],
      [() => client.send(new ListKeysCommand({ Marker: 'xyz' })), 'InvalidMarkerException', /./],
      [
        () => client.send(new CreateAliasCommand({ AliasName: 'alias/a b', TargetKeyId: KeyId })),
        'ValidationException',
        /\^\[a-zA-Z0-9:\/_-\]\+\$/,
      ],
      [
        () => client.send(new CreateAliasCommand({ AliasName: 'a', TargetKeyId: KeyId })),
        'ValidationException',
        /prefix "alias\/"/,
      ],
      [
        () => client.send(new CreateAliasCommand({ AliasName: 'alias/aws/s3', TargetKeyId: KeyId })),
        'InvalidAliasNameException',
        /reserved/,
      ],
      [
        () => client.send(new CreateAliasCommand({ AliasName: 'alias/b', TargetKeyId: 'alias/a' })),
        'ValidationException',
        /Not aliases/,
      ],
      [
        () => client.send(new CreateKeyCommand({ Origin: 'AWS_CLOUDHSM' })),
        'UnsupportedOperationException',
        /Origin AWS_CLOUDHSM/,
      ],
      [
        () => client.send(new CreateKeyCommand({ CustomKeyStoreId: 'cks-1' })),
        'UnsupportedOperationException',
        /^CustomKeyStoreId is not offered: there are no custom key stores\.$/,
      ],
      [
        () => client.send(new CreateKeyCommand({ XksKeyId: 'x' })),
        'UnsupportedOperationException',
        /^XksKeyId is not offered/,
      ],
      [
        () => client.send(new CreateKeyCommand({ KeySpec: 'RSA_2048' })),
        'UnsupportedOperationException',
        /RSA_2048/,
      ],
      [
        () => client.send(new CreateKeyCommand({ KeyUsage: 'SIGN_VERIFY' })),
        'UnsupportedOperationException',
        /SIGN_VERIFY/,
      ],
      [
        () =>
          client.send(
            new GenerateDataKeyCommand({
              KeyId,
              KeySpec: 'AES_256',
              Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
            }),
          ),
        'UnsupportedOperationException',
        /^Recipient is not offered: this service cannot verify the attestation documents of AWS Nitro\.$/,
      ],
    ]
    for (const [send, name, message] of table) await assert.rejects(send(), { name, message }, String(send))
    assert.equal(table.length, 22)
    await encryptWith(client, KeyId, { a: 'x'.repeat(4096), b: 'é'.repeat(2047) })
    await client.send(new CreateKeyCommand({ MultiRegion: false, Tags: [], KeySpec: 'SYMMETRIC_DEFAULT' }))
  })

  test('lists come in pages', async (t) => {
    const client = (await startTestService(t)).kms()
    const keys = []
    for (let n = 0; n < 5; n++) keys.push(await newKey(client))
    const first = keys[0] ?? assert.fail()
    for (const name of ['alias/c', 'alias/a', 'alias/b']) {
      await client.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: first.id }))
    }
    await assert.rejects(
      client.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: first.id })),
      {
        name: 'AlreadyExistsException',
        message: 'An alias with the name arn:aws:kms:us-east-1:111122223333:alias/a already exists',
      },
    )
    const listed: string[] = []
    let Marker: string | undefined
    const sizes = []
    do {
      const page = await client.send(new ListKeysCommand({ Limit: 2, Marker }))
      for (const { KeyId, KeyArn } of page.Keys ?? []) {
        assert.ok(KeyId !== undefined && KeyArn?.endsWith(`:key/${KeyId}`) === true)
        listed.push(KeyId)
      }
      sizes.push(page.Keys?.length)
      assert.equal(page.Truncated, page.NextMarker !== undefined)
      Marker = page.NextMarker
    } while (Marker !== undefined)
    assert.deepEqual(sizes, [2, 2, 1])
    assert.deepEqual(listed, keys.map(({ id }) => id).sort())
    const ofFirst = await client.send(new ListAliasesCommand({ KeyId: first.arn, Limit: 2 }))
    assert.deepEqual(
      ofFirst.Aliases?.map(({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId]),
      [
        ['alias/a', first.id],
        ['alias/b', first.id],
      ],
    )
    const rest = await client.send(new ListAliasesCommand({ KeyId: first.id, Marker: ofFirst.NextMarker }))
    assert.deepEqual(
      rest.Aliases?.map(({ AliasArn }) => AliasArn),
      ['arn:aws:kms:us-east-1:111122223333:alias/c'],
    )
    assert.equal(rest.Truncated, false)
    const ofOther = await client.send(new ListAliasesCommand({ KeyId: keys[1]?.id }))
    assert.deepEqual(ofOther.Aliases, [])
  })
})
