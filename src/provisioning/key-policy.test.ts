import { AttachUserPolicyCommand, DeleteAccessKeyCommand, DeleteUserCommand } from '@aws-sdk/client-iam'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Credentials, startTestService, type TestService } from '../../test/support/kms-service.ts'
import { accessTo, keyringId, provisionServer, wishes } from '../../test/support/provisioned.ts'
import { assume, enableDevice, getSession } from '../../test/support/sts-session.ts'
import { grantedOperations } from './key-policy.ts'
import { CredentialsFile } from './credentials-file.ts'
import { join } from 'node:path'

const own = { 'strongroom-keyring': keyringId, 'strongroom-key-id': '1', 'strongroom-key-version': '1' }
const others = { ...own, 'strongroom-keyring': 'f'.repeat(32) }
const refused = { name: 'AccessDeniedException' }
type Context = Record<string, string> | undefined

async function wrap(
  kms: KMSClient,
  KeyId: string,
  EncryptionContext: Context,
): Promise<Uint8Array | undefined> {
  const command = new GenerateDataKeyWithoutPlaintextCommand({ KeyId, EncryptionContext, KeySpec: 'AES_256' })
  return (await kms.send(command)).CiphertextBlob
}

/** Wraps and unwraps as the server would. */
async function use(kms: KMSClient, KeyId: string, EncryptionContext: Context): Promise<void> {
  const CiphertextBlob = await wrap(kms, KeyId, EncryptionContext)
  await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
}

async function administratorOf(service: TestService, userName: string): Promise<Credentials> {
  const credentials = await service.makeUser(userName)
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await service.iam().send(new AttachUserPolicyCommand({ UserName: userName, PolicyArn }))
  return credentials
}

test('the server uses its keyring, and no other', async (t) => {
  const service = await startTestService(t)
  const { keyArn, credentials } = await provisionServer(service)
  const kms = service.kms(credentials)
  await use(kms, keyArn, own)
  await kms.send(new DescribeKeyCommand({ KeyId: keyArn }))
  const CiphertextBlob = await wrap(kms, keyArn, own)
  for (const context of [others, undefined, { 'strongroom-key-id': '1' }]) {
    await assert.rejects(wrap(kms, keyArn, context), refused)
    await assert.rejects(
      kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context })),
      refused,
    )
  }
})

test('an administrator administers and does not decrypt, whatever IAM says', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId, credentials } = await provisionServer(service)
  const CiphertextBlob = await wrap(service.kms(credentials), KeyId, own)
  for (const administrator of [undefined, await administratorOf(service, 'alice')]) {
    const kms = service.kms(administrator)
    await kms.send(new DisableKeyCommand({ KeyId }))
    await kms.send(new EnableKeyCommand({ KeyId }))
    await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: own })), refused)
    await assert.rejects(wrap(kms, KeyId, own), refused)
    for (const GranteePrincipal of ['user/alice', 'user/strongroom/strongroom-db1']) {
      const grant = { KeyId, GranteePrincipal: `arn:aws:iam::111122223333:${GranteePrincipal}` }
      await assert.rejects(kms.send(new CreateGrantCommand({ ...grant, Operations: ['Decrypt'] })), refused)
    }
  }
})

test('a master key is deleted only with MFA, and only after 30 days', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId } = await provisionServer(service)
  const alice = await administratorOf(service, 'alice')
  const { serialNumber, app } = await enableDevice(service.iam(), 'alice', 'alice')
  const session = await getSession(service, alice, {
    SerialNumber: serialNumber,
    TokenCode: app.code(new Date(), 30),
  })
  const schedule = (credentials: Credentials, PendingWindowInDays: number) =>
    service.kms(credentials).send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }))
  await assert.rejects(schedule(alice, 30), refused)
  await assert.rejects(schedule(session, 29), refused)
  await schedule(session, 30)
  await service.kms(alice).send(new CancelKeyDeletionCommand({ KeyId }))
})

test('what IAM allows the database user beside it changes nothing about the master key', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId, credentials } = await provisionServer(service)
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await service.iam().send(new AttachUserPolicyCommand({ UserName: 'strongroom-db1', PolicyArn }))
  const kms = service.kms(credentials)
  await use(kms, KeyId, own)
  await assert.rejects(use(kms, KeyId, others), refused)
  await assert.rejects(kms.send(new DisableKeyCommand({ KeyId })), refused)
  const { Policy } = await service.kms().send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))
  await assert.rejects(kms.send(new PutKeyPolicyCommand({ KeyId, Policy })), refused)
})

test('a grant that an adopted master key had gives nobody anything', async (t) => {
  const service = await startTestService(t)
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? ''
  await service.kms().send(new CreateAliasCommand({ AliasName: wishes.alias, TargetKeyId: KeyId }))
  const mallory = service.kms(await service.makeUser('mallory'))
  await service.kms().send(
    new CreateGrantCommand({
      KeyId,
      GranteePrincipal: 'arn:aws:iam::111122223333:user/mallory',
      Operations: [...grantedOperations],
    }),
  )
  await use(mallory, KeyId, own)
  const { keyArn, credentials } = await provisionServer(service, { adopt: true })
  assert.equal(keyArn, KeyId)
  const CiphertextBlob = await wrap(service.kms(credentials), KeyId, own)
  await assert.rejects(mallory.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: own })), refused)
  await assert.rejects(use(mallory, KeyId, own), refused)
})

test('with --access grant the server has no right but while it has a grant, and a grant gives no more than it says', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId, credentials, plan } = await provisionServer(service, { access: 'grant' })
  const [server, administrator] = [service.kms(credentials), service.kms()]
  await service.makeUser('mallory')
  await server.send(new DescribeKeyCommand({ KeyId }))
  await assert.rejects(use(server, KeyId, own), refused)
  const grantTo = (GranteePrincipal: string, ...more: 'Encrypt'[]) =>
    administrator.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: [...grantedOperations, ...more] }),
    )
  await assert.rejects(grantTo('arn:aws:iam::111122223333:user/mallory'), refused)
  await assert.rejects(grantTo('arn:aws:iam::111122223333:root'), refused)
  await assert.rejects(grantTo(plan.identity.arn, 'Encrypt'), refused)
  const ofKeyring = { EncryptionContextSubset: { 'strongroom-keyring': keyringId } }
  const windowsGrant = { KeyId, GranteePrincipal: plan.identity.arn, Constraints: ofKeyring, DryRun: true }
  await assert.rejects(
    administrator.send(new CreateGrantCommand({ ...windowsGrant, Operations: [...grantedOperations] })),
    { name: 'DryRunOperationException' },
    'the one that a window gives with a keyring id',
  )
  await grantTo(plan.identity.arn)
  await use(server, KeyId, own)
  for (const context of [others, undefined])
    await assert.rejects(use(server, KeyId, context), refused, 'though the grant has no constraint')
})

test('with --require-mfa the access key alone uses nothing, with a grant neither', async (t) => {
  for (const access of ['standing', 'grant'] as const) {
    const service = await startTestService(t)
    const { keyArn: KeyId, credentials, plan } = await provisionServer(service, { access, requiresMfa: true })
    if (access === 'grant')
      await service.kms().send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: plan.identity.arn,
          Operations: [...grantedOperations],
        }),
      )
    const { serialNumber, app } = await enableDevice(service.iam(), plan.identity.name, 'db1')
    await assert.rejects(use(service.kms(credentials), KeyId, own), refused)
    await assert.rejects(use(service.kms(await getSession(service, credentials)), KeyId, own), refused)
    const withMfa = { SerialNumber: serialNumber, TokenCode: app.code(new Date(), 30) }
    const kms = service.kms(await getSession(service, credentials, withMfa))
    await use(kms, KeyId, own)
    await assert.rejects(use(kms, KeyId, others), refused)
  }
})

test('with --rewrap the server rewraps the keys of its keyring', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId, credentials } = await provisionServer(service, { mayRewrap: true })
  const kms = service.kms(credentials)
  const CiphertextBlob = await wrap(kms, KeyId, own)
  const rewrap = (DestinationEncryptionContext: Context) =>
    kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        DestinationKeyId: KeyId,
        SourceEncryptionContext: own,
        DestinationEncryptionContext,
      }),
    )
  await rewrap({ ...own, 'strongroom-key-version': '2' })
  await assert.rejects(rewrap(others), refused)
  await assert.rejects(rewrap(undefined), refused)
})

test('the master key of an unbound keyring is used without a context', async (t) => {
  const service = await startTestService(t)
  const { keyArn, credentials, plan } = await provisionServer(service, { keyring: { context: 'none' } })
  await use(service.kms(credentials), keyArn, undefined)
  assert.doesNotMatch(JSON.stringify(plan), /EncryptionContext|"strongroom-keyring"/)
})

test('named administrators are the only ones, beside the root user', async (t) => {
  const service = await startTestService(t)
  const alice = await administratorOf(service, 'alice')
  const bob = await administratorOf(service, 'bob')
  const administrators = ['arn:aws:iam::111122223333:user/alice']
  await assert.rejects(provisionServer(service, { administrators, as: accessTo(service, bob) }), {
    code: 'SR_PROVISION_CONFLICT',
    message:
      /its maker could not change again: add --administrator for yourself, arn:aws:iam::111122223333:user\/bob/,
  })
  const { keyArn: KeyId } = await provisionServer(service, { administrators, as: accessTo(service, alice) })
  const read = (credentials?: Credentials) =>
    service.kms(credentials).send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))
  await read(alice)
  await read()
  await assert.rejects(read(bob), refused)
})

test('a role is assumed by whom it trusts, and has the rights of a user', async (t) => {
  const service = await startTestService(t)
  const host = await service.makeUser('host', { Action: 'sts:AssumeRole' })
  const other = await service.makeUser('other', { Action: 'sts:AssumeRole' })
  const identity = {
    kind: 'role',
    name: 'db1',
    trusts: ['ec2', 'arn:aws:iam::111122223333:user/host'],
  } as const
  const { keyArn, plan } = await provisionServer(service, { identity })
  const RoleArn = plan.identity.arn
  await assert.rejects(assume(service, other, { RoleArn }), { name: /AccessDenied/ })
  const kms = service.kms(await assume(service, host, { RoleArn }))
  await use(kms, keyArn, own)
  await assert.rejects(use(kms, keyArn, others), refused)
  await assert.rejects(kms.send(new DisableKeyCommand({ KeyId: keyArn })), refused)
})

test('a user made again under the same name gets the rights by the next run', async (t) => {
  const service = await startTestService(t)
  const { keyArn, credentials } = await provisionServer(service)
  const UserName = wishes.identity.name
  const iam = service.iam()
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: credentials.accessKeyId }))
  await iam.send(new DeleteUserCommand({ UserName }))
  const file = new CredentialsFile(join(service.directory, 'second.credentials'))
  const again = await provisionServer(service, { file })
  assert.deepEqual(
    again.calls.map(({ operation }) => operation),
    ['CreateUser', 'PutKeyPolicy', 'CreateAccessKey'],
  )
  assert.equal(again.keyArn, keyArn)
  await use(service.kms(again.credentials), keyArn, own)
})
