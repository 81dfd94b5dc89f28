import { buildClient, CommitmentPolicy, KmsKeyringNode } from '@aws-crypto/client-node'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startTestService } from '../support/kms-service.ts'

/** The AWS Encryption SDK as its users call it; only the endpoint is ours, by AWS's own environment variable. */
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

test('the AWS Encryption SDK', async (t) => {
  const service = await startTestService(t)
  const { endpoint, region, credentials } = service.clientConfig()
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_KMS: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
  // Its own clients, which find our endpoint where AWS's SDKs look for one.
  const keyring = (generatorKeyId: string, keyIds: string[] = []) =>
    new KmsKeyringNode({ generatorKeyId, keyIds })
  const newKey = async (): Promise<string> => {
    const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
    return KeyMetadata?.Arn ?? ''
  }

  const keyArn = await newKey()

  for (const size of [0, 1, 4096, 1_000_000]) {
    await t.test(`encrypts ${size} bytes and decrypts them again`, async () => {
      const plaintext = randomBytes(size)
      const encryptionContext = { stage: 'demo', purpose: 'simple test', origin: 'eu-west-1' }
      const { result } = await encrypt(keyring(keyArn), plaintext, { encryptionContext })
      const opened = await decrypt(keyring(keyArn), result)
      assert.deepEqual(opened.plaintext, plaintext)
      // With a signing key of its own, which it binds to the data key by the encryption context.
      assert.ok(opened.messageHeader.encryptionContext['aws-crypto-public-key'])
      assert.equal(opened.messageHeader.encryptionContext['purpose'], 'simple test')
    })
  }

  await t.test('opens what was encrypted under two keys while one of them is disabled', async () => {
    const second = await newKey()
    const { result } = await encrypt(keyring(keyArn, [second]), Buffer.from('payroll'))
    await service.kms().send(new DisableKeyCommand({ KeyId: keyArn }))
    try {
      const opened = await decrypt(keyring(keyArn, [second]), result)
      assert.equal(opened.plaintext.toString(), 'payroll')
      await assert.rejects(decrypt(keyring(keyArn), result), /DisabledException|unencryptedDataKey|disabled/)
    } finally {
      await service.kms().send(new EnableKeyCommand({ KeyId: keyArn }))
    }
  })

  await t.test('takes an alias to encrypt with', async () => {
    const AliasName = 'alias/encryption-sdk'
    await service.kms().send(new CreateAliasCommand({ AliasName, TargetKeyId: keyArn }))
    const aliasArn = keyArn.replace(/key\/.*$/, AliasName)
    const { result } = await encrypt(keyring(aliasArn), Buffer.from('payroll'))
    assert.equal((await decrypt(keyring(keyArn), result)).plaintext.toString(), 'payroll')
  })

  await t.test('does not open a message in which a byte was changed', async () => {
    const { result } = await encrypt(keyring(keyArn), Buffer.from('payroll'))
    for (let n = 0; n < 20; n++) {
      const damaged = Buffer.from(result)
      const at = (n * 37) % damaged.length
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
      await assert.rejects(decrypt(keyring(keyArn), damaged), `byte ${at}`)
    }
  })
})
