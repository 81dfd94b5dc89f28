import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  KMSClient,
  ReEncryptCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'

const rootArn = 'arn:aws:iam::111122223333:root'

describe('grant tokens', () => {
  test('right ones pass wherever one can be given, others never do', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const bob = service.kms(await service.makeUser('bob'))
    const KeyId = (await root.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId
    const { GrantId, GrantToken = '' } = await root.send(
      new CreateGrantCommand({
        KeyId,
        GranteePrincipal: 'arn:aws:iam::111122223333:user/bob',
        Operations: [
          'Encrypt',
          'Decrypt',
          'ReEncryptFrom',
          'ReEncryptTo',
          'CreateGrant',
          'DescribeKey',
          'GenerateDataKey',
          'GenerateDataKeyWithoutPlaintext',
        ],
      }),
    )
    const Plaintext = Buffer.from('x')
    const { CiphertextBlob } = await root.send(new EncryptCommand({ KeyId, Plaintext }))
    const flipped = Buffer.from(GrantToken, 'base64')
    flipped.writeUInt8(flipped.readUInt8(20) ^ 1, 20)
    const calls = (client: KMSClient, GrantTokens: string[]): (() => Promise<unknown>)[] => [
      () => client.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens })),
      () => client.send(new DecryptCommand({ CiphertextBlob, GrantTokens })),
      () => client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId, GrantTokens })),
      () => client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', GrantTokens })),
      () =>
        client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256', GrantTokens })),
      () => client.send(new DescribeKeyCommand({ KeyId, GrantTokens })),
      () =>
        client.send(
          new CreateGrantCommand({ KeyId, GranteePrincipal: rootArn, Operations: ['Encrypt'], GrantTokens }),
        ),
    ]
    for (const call of calls(bob, [GrantToken, GrantToken])) await call()
    const wrong = ['x', GrantToken.slice(0, -4), ` ${GrantToken}`, flipped.toString('base64'), GrantId ?? '']
    for (const token of wrong) {
      for (const call of calls(root, [GrantToken, token])) {
        await assert.rejects(call(), { name: 'InvalidGrantTokenException' }, token)
      }
    }
    await service.reopen()
    const again = service.kms(await bob.config.credentials())
    for (const call of calls(again, [GrantToken])) await call()
    await service.kms().send(new RevokeGrantCommand({ KeyId, GrantId }))
    // The token is none that was made up, but it gives nothing.
    for (const call of calls(again, [GrantToken]))
      await assert.rejects(call(), { name: 'AccessDeniedException' })
    assert.ok(!JSON.stringify(service.trail()).includes(GrantToken))
  })

  test('a token of another region is none', async (t) => {
    const service = await startTestService(t, { regions: ['us-east-1', 'eu-west-1'] })
    const root = service.kms()
    const { KeyMetadata: { KeyId } = {} } = await root.send(new CreateKeyCommand({}))
    const { GrantToken = '' } = await root.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal: rootArn, Operations: ['Encrypt'] }),
    )
    const elsewhere = new KMSClient({ ...service.clientConfig(), region: 'eu-west-1' })
    const { KeyMetadata: there } = await elsewhere.send(new CreateKeyCommand({}))
    const call = new DescribeKeyCommand({ KeyId: there?.KeyId, GrantTokens: [GrantToken] })
    await assert.rejects(elsewhere.send(call), { name: 'InvalidGrantTokenException' })
  })
})
