import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { DeleteUserCommand, DeleteUserPolicyCommand, DeleteAccessKeyCommand } from '@aws-sdk/client-iam'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { makeRole, makeUser } from '../../../test/support/identities.ts'
import { startTestService, type TestService } from '../../../test/support/kms-service.ts'

const rootArn = 'arn:aws:iam::111122223333:root'
const aliceArn = 'arn:aws:iam::111122223333:user/alice'

const policyOf = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const delegation = { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' }
const Plaintext = Buffer.from('x')

async function makeKey(service: TestService, ...statements: object[]): Promise<string> {
  const Policy = policyOf(delegation, ...statements)
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({ Policy }))
  return KeyMetadata?.Arn ?? assert.fail('the key has no ARN')
}

test('a user needs the key policy or a policy of its own, for its own part of the data', async (t: TestContext) => {
  const service = await startTestService(t)
  const alice = await makeUser(service.iam(), 'alice', [
    {
      Action: ['kms:Encrypt', 'kms:Decrypt'],
      Condition: { StringEquals: { 'kms:EncryptionContext:user': '${aws:username}' } },
    },
  ])
  const bob = await makeUser(service.iam(), 'bob', [])
  const KeyId = await makeKey(service)
  const encrypt = (user: typeof alice, name: string) =>
    service.kms(user).send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { user: name } }))
  const { CiphertextBlob } = await encrypt(alice, 'alice')
  await assert.rejects(encrypt(alice, 'bob'), {
    name: 'AccessDeniedException',
    message:
      `User: ${aliceArn} is not authorized to perform: kms:Encrypt on resource: ${KeyId} ` +
      'because no identity-based policy allows the kms:Encrypt action',
  })
  await assert.rejects(encrypt(bob, 'bob'), { name: 'AccessDeniedException' })
  const EncryptionContext = { user: 'alice' }
  // Without a key id, the key in the blob is asked for.
  const decrypt = new DecryptCommand({ CiphertextBlob, EncryptionContext })
  const { Plaintext: back } = await service.kms(alice).send(decrypt)
  assert.deepEqual(Buffer.from(back ?? []), Plaintext)
  await assert.rejects(service.kms(bob).send(decrypt), { name: 'AccessDeniedException' })
  const GranteePrincipal = 'arn:aws:iam::111122223333:user/bob'
  const Constraints = { EncryptionContextSubset: EncryptionContext }
  await service
    .kms()
    .send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'], Constraints }))
  await service.kms(bob).send(decrypt)
  await assert.rejects(encrypt(bob, 'alice'), { name: 'AccessDeniedException' })
})

test('a session policy takes from what a role has', async (t: TestContext) => {
  const service = await startTestService(t)
  const alice = await makeUser(service.iam(), 'alice', [])
  const RoleArn = await makeRole(service.iam(), 'deploy', {
    trust: [{ Principal: { AWS: aliceArn } }],
    statements: [{ Action: 'kms:*' }],
  })
  const KeyId = await makeKey(service)
  const sts = new STSClient(service.clientConfig(alice))
  const encryptWith = async (Policy?: string): Promise<unknown> => {
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'nightly', Policy }),
    )
    const credentials = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    }
    return await service.kms(credentials).send(new EncryptCommand({ KeyId, Plaintext }))
  }
  await encryptWith()
  await encryptWith(policyOf({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: KeyId }))
  await assert.rejects(encryptWith(policyOf({ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' })), {
    name: 'AccessDeniedException',
    message:
      'User: arn:aws:sts::111122223333:assumed-role/deploy/nightly is not authorized to perform: kms:Encrypt ' +
      `on resource: ${KeyId} because no session policy allows the kms:Encrypt action`,
  })
})

test('a user of the same name who is made later gets nothing from a key policy', async (t: TestContext) => {
  const service = await startTestService(t)
  const iam = service.iam()
  const first = await makeUser(iam, 'alice', [])
  const KeyId = await makeKey(service, {
    Effect: 'Allow',
    Principal: { AWS: aliceArn },
    Action: 'kms:Encrypt',
    Resource: '*',
  })
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  await service.kms(first).send(encrypt)
  await iam.send(new DeleteAccessKeyCommand({ UserName: 'alice', AccessKeyId: first.accessKeyId }))
  await iam.send(new DeleteUserCommand({ UserName: 'alice' }))
  const later = await makeUser(iam, 'alice', [])
  await assert.rejects(service.kms(later).send(encrypt), { name: 'AccessDeniedException' })
  const { Policy } = await service.kms().send(new GetKeyPolicyCommand({ KeyId }))
  assert.match(Policy ?? '', /"AWS": ?"AIDA[A-Z2-7]{16}"/)
  await assert.rejects(service.kms().send(new PutKeyPolicyCommand({ KeyId, Policy })), {
    name: 'MalformedPolicyDocumentException',
    message: /invalid principals/,
  })
  await service.reopen()
  await assert.rejects(service.kms(later).send(encrypt), { name: 'AccessDeniedException' })
})

test('a changed identity policy counts at once', async (t: TestContext) => {
  const service = await startTestService(t)
  const alice = await makeUser(service.iam(), 'alice', [{ Action: 'kms:Encrypt' }])
  const encrypt = new EncryptCommand({ KeyId: await makeKey(service), Plaintext })
  await service.kms(alice).send(encrypt)
  await service.iam().send(new DeleteUserPolicyCommand({ UserName: 'alice', PolicyName: 'inline' }))
  await assert.rejects(service.kms(alice).send(encrypt), { name: 'AccessDeniedException' })
})
