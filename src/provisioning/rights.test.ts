import {
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  PutGroupPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iamParameters, kmsInputs, stsParameters, type World } from '../../test/support/every-operation.ts'
import { identityPolicy } from '../../test/support/identities.ts'
import { type Credentials, startTestService, type TestService } from '../../test/support/kms-service.ts'
import { keyringId, provisionServer } from '../../test/support/provisioned.ts'
import { rawCall } from '../../test/support/raw-call.ts'
import { enableDevice } from '../../test/support/sts-session.ts'
import { iamOperations } from '../kms/operations/iam/index.ts'
import { kmsOperations } from '../kms/operations/kms/index.ts'
import { stsOperations } from '../kms/operations/sts/index.ts'

/** Operations that AWS lets everybody who has an access key, with what they tell: https://docs.aws.amazon.com/STS/latest/APIReference/ */
const forEverybody = ['sts GetCallerIdentity', 'sts GetSessionToken']
const allowed = ['kms Decrypt', 'kms DescribeKey', 'kms GenerateDataKeyWithoutPlaintext']

test("the database user's rights fail on every other action of KMS, IAM and STS", async (t) => {
  const service = await startTestService(t)
  const { credentials, world } = await provisionedWorld(service)
  const requests = requestsOf(world)
  const operations = [
    ...kmsOperations.map(({ name }) => `kms ${name}`),
    ...iamOperations.map(({ name }) => `iam ${name}`),
    ...stsOperations.map(({ name }) => `sts ${name}`),
  ]
  assert.deepEqual([...requests.keys()].sort(), operations.toSorted(), 'each operation has its row')
  const answers = new Map<string, string>()
  for (const [name, send] of requests) answers.set(name, await send(credentials))
  const refused = [...answers].filter(([, answer]) => /^AccessDenied(Exception)?$/.test(answer))
  const others = [...answers].filter(([, answer]) => !/^AccessDenied(Exception)?$/.test(answer))
  assert.deepEqual(
    new Map(others),
    new Map([...allowed, ...forEverybody].map((name) => [name, 'carried out'])),
  )
  assert.equal(refused.length, 126)
  // The same requests are in order: the root user gets another answer to each that the key policy doesn't deny to everybody.
  const denied: string[] = []
  for (const [name, send] of requests) {
    if (name.startsWith('iam Delete') || name.startsWith('sts')) continue
    if ((await send(undefined)).startsWith('AccessDenied')) denied.push(name)
  }
  assert.deepEqual(denied.sort(), [
    'kms CreateGrant',
    'kms Decrypt',
    'kms Encrypt',
    'kms GenerateDataKey',
    'kms GenerateDataKeyWithoutPlaintext',
    'kms ReEncrypt',
    'kms ReplicateKey',
    'kms ScheduleKeyDeletion',
  ])
})

type Send = (credentials: Credentials | undefined) => Promise<string>

function requestsOf(world: World & { service: TestService }): Map<string, Send> {
  const { service } = world
  const query = (
    name: 'iam' | 'sts',
    Version: string,
    Action: string,
    parameters: Readonly<Record<string, string>>,
  ): Send => {
    return async (credentials) =>
      outcomeOf(
        await rawCall(service, {
          service: name,
          ...(credentials && { credentials }),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ Action, Version, ...parameters }).toString(),
        }),
      )
  }
  const kms = Object.entries(kmsInputs(world)).map(
    ([operation, input]) =>
      [
        `kms ${operation}`,
        async (credentials: Credentials | undefined) =>
          outcomeOf(
            await rawCall(service, {
              operation,
              ...(credentials && { credentials }),
              body: JSON.stringify(input),
            }),
          ),
      ] as const,
  )
  const iam = Object.entries(iamParameters(world)).map(
    ([name, parameters]) => [`iam ${name}`, query('iam', '2010-05-08', name, parameters)] as const,
  )
  const sts = Object.entries(stsParameters(world)).map(
    ([name, parameters]) => [`sts ${name}`, query('sts', '2011-06-15', name, parameters)] as const,
  )
  return new Map([...kms, ...iam, ...sts])
}

function outcomeOf({ status, body }: { status: number; body: string }): string {
  if (status === 200) return 'carried out'
  return /"__type":"(?:[^"#]*#)?([^"]+)"/.exec(body)?.[1] ?? /<Code>([^<]+)<\/Code>/.exec(body)?.[1] ?? body
}

/** The server, and everything else that a request may name. */
async function provisionedWorld(
  service: TestService,
): Promise<{ credentials: Credentials; world: World & { service: TestService } }> {
  const { keyArn, credentials, plan } = await provisionServer(service)
  const [iam, kms] = [service.iam(), service.kms()]
  const keyId = keyArn.split('/').at(-1) ?? ''
  const imported = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
  const context = { 'strongroom-keyring': keyringId, 'strongroom-key-id': '1', 'strongroom-key-version': '1' }
  const { CiphertextBlob } = await service.kms(credentials).send(
    new GenerateDataKeyWithoutPlaintextCommand({
      KeyId: keyArn,
      KeySpec: 'AES_256',
      EncryptionContext: context,
    }),
  )
  const everything = { Action: '*' }
  const other = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
  await service.makeUser('bystander', everything)
  const grantee = 'arn:aws:iam::111122223333:user/bystander'
  const { GrantId = '' } = await kms.send(
    new CreateGrantCommand({ KeyId: other, GranteePrincipal: grantee, Operations: ['Decrypt'] }),
  )
  await iam.send(new CreateGroupCommand({ GroupName: 'staff' }))
  const PolicyDocument = identityPolicy(everything)
  await iam.send(new PutGroupPolicyCommand({ GroupName: 'staff', PolicyName: 'inline', PolicyDocument }))
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'all', PolicyDocument }))
  const policyArn = Policy?.Arn ?? ''
  await iam.send(new CreatePolicyVersionCommand({ PolicyArn: policyArn, PolicyDocument }))
  await iam.send(new AttachUserPolicyCommand({ UserName: 'bystander', PolicyArn: policyArn }))
  const { OpenIDConnectProviderArn } = await iam.send(
    new CreateOpenIDConnectProviderCommand({
      Url: 'https://tokens.example',
      ClientIDList: ['sts.amazonaws.com'],
    }),
  )
  const device = await enableDevice(iam, 'bystander', 'bystander')
  const roleArn = await service.makeRole('operator', [{ Principal: { AWS: grantee } }], everything)
  return {
    credentials,
    world: {
      service,
      keyId,
      importedKeyId: imported.KeyMetadata?.KeyId ?? '',
      grant: { KeyId: other, GrantId },
      alias: 'alias/strongroom-db1',
      ciphertext: Buffer.from(CiphertextBlob ?? []).toString('base64'),
      context,
      serverArn: plan.identity.arn,
      userName: plan.identity.name,
      accessKeyId: credentials.accessKeyId,
      group: 'staff',
      role: 'operator',
      roleArn,
      policyArn,
      providerArn: OpenIDConnectProviderArn ?? '',
      deviceArn: device.serialNumber,
      inlinePolicy: 'inline',
    },
  }
}
