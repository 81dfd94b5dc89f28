import { GetUserCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam'
import {
  DecryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ListAliasesCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startFailingProxy } from '../../test/support/failing-proxy.ts'
import { type Credentials, startTestService, type TestService } from '../../test/support/kms-service.ts'
import { startKmsProxy } from '../../test/support/kms-proxy.ts'
import { accessTo, provisionServer } from '../../test/support/provisioned.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { messageOf } from '../errors.ts'
import type { Call } from './calls.ts'
import { doing } from './carry-out.ts'
import { CredentialsFile } from './credentials-file.ts'

/** More requests than a whole run makes. */
const more = 30

for (const lost of ['request', 'answer'] as const) {
  test(`interrupted at any call, by a lost ${lost}, the next run ends in the same state`, async (t) => {
    const losing: string[] = []
    let calls: readonly Call[] = []
    for (let after = 0; after < more && calls.length === 0; after++) {
      await t.test(`after ${after} calls`, async (one) => {
        const first = await interruptedRun(one, { after, lost })
        if (typeof first === 'string') losing.push(first)
        else calls = first
      })
    }
    // Each call was lost once, those that change something among them.
    assert.deepEqual(losing.slice(0, 4), [
      'cannot find out who you are',
      'cannot look at the IAM user strongroom-db1',
      'cannot look at the master key alias/strongroom-db1',
      'cannot look for a master key with the tag strongroom-server = db1',
    ])
    assert.deepEqual(
      losing.slice(4),
      calls.map((call) => `cannot ${doing(call)}`),
    )
    assert.equal(calls.length, 4)
  })
}

test('an access key whose answer was lost is deleted, unless somebody uses it', async (t) => {
  const service = await startTestService(t)
  const file = new CredentialsFile(join(scratchDirectory(t), 'db1.credentials'))
  const { credentials } = await provisionServer(service)
  const UserName = 'strongroom-db1'
  file.begin(UserName, [])
  const again = await provisionServer(service, { file })
  assert.deepEqual(
    again.calls.map(({ operation }) => operation),
    ['DeleteAccessKey', 'CreateAccessKey'],
  )
  const keys = await service.iam().send(new ListAccessKeysCommand({ UserName }))
  assert.deepEqual(
    keys.AccessKeyMetadata?.map(({ AccessKeyId }) => AccessKeyId),
    [again.credentials.accessKeyId],
  )
  assert.notEqual(again.credentials.accessKeyId, credentials.accessKeyId)

  await assert.rejects(service.iam(again.credentials).send(new GetUserCommand({ UserName })), {
    name: /AccessDenied/,
  })
  const third = new CredentialsFile(join(scratchDirectory(t), 'third'))
  third.begin(UserName, [])
  await assert.rejects(provisionServer(service, { file: third }), {
    code: 'SR_PROVISION_CONFLICT',
    message: new RegExp(`has the access key ${again.credentials.accessKeyId} since .* somebody uses it`),
  })
})

test('of two access keys since a file was begun none is deleted', async (t) => {
  const service = await startTestService(t)
  const begun = new CredentialsFile(join(scratchDirectory(t), 'begun'))
  begun.begin('strongroom-db1', [])
  await provisionServer(service)
  const second = new CredentialsFile(join(service.directory, 'second'))
  await provisionServer(service, { file: second, newAccessKey: true })
  await assert.rejects(provisionServer(service, { file: begun }), {
    code: 'SR_PROVISION_CONFLICT',
    message: /more access keys since .*begun was begun than the one that was for it: AKIA.* and AKIA/,
  })
})

test('a master key that KMS does not know everywhere yet gets its alias all the same', async (t) => {
  const service = await startTestService(t)
  const proxy = await startKmsProxy(t, service.current.url)
  let left = 1
  proxy.answerBy((operation) => (operation === 'CreateAlias' && left-- > 0 ? 'NotFoundException' : undefined))
  const access = accessTo(service, undefined, proxy.url)
  t.after(() => {
    access.close()
  })
  const { keyArn } = await provisionServer(service, { as: access, patience: 30_000 })
  const { Aliases } = await service.kms().send(new ListAliasesCommand({ KeyId: keyArn }))
  assert.equal(Aliases?.length, 1)
})

test('an access key that its file can not take is deleted again', async (t) => {
  const service = await startTestService(t)
  const file = new TakenFile(join(service.directory, 'db1.credentials'))
  await assert.rejects(provisionServer(service, { file }), {
    code: 'SR_PROVISION_FILE',
    message:
      /cannot write .*db1\.credentials \(EISDIR\).*; the access key AKIA\S+ that was for it is deleted again/,
  })
  const keys = await service.iam().send(new ListAccessKeysCommand({ UserName: 'strongroom-db1' }))
  assert.deepEqual(keys.AccessKeyMetadata, [])
})

/** Something else is in its place once the access key has been made. */
class TakenFile extends CredentialsFile {
  override finish(userName: string, credentials: Credentials): void {
    rmSync(this.path)
    mkdirSync(this.path)
    super.finish(userName, credentials)
  }
}

/** The calls of a run that was not interrupted; else what it says, once a second run has done the rest. */
async function interruptedRun(
  t: TestContext,
  { after, lost }: { after: number; lost: 'request' | 'answer' },
): Promise<readonly Call[] | string> {
  const service = await startTestService(t)
  const proxy = await startFailingProxy(t, service.current.url)
  const access = accessTo(service, undefined, proxy.url)
  t.after(() => {
    access.close()
  })
  const file = new CredentialsFile(join(service.directory, 'db1.credentials'))
  // Without an id of its own, so that a second master key would be for another keyring.
  const options = { keyring: { context: 'bound', id: undefined }, file } as const
  proxy.failAfter(after, lost)
  const first = await provisionServer(service, { ...options, as: access }).catch((error: unknown) =>
    messageOf(error),
  )
  if (typeof first !== 'string') return first.calls
  const { keyArn, credentials, plan } = await provisionServer(service, options)
  assert.deepEqual((await provisionServer(service, options)).calls, [], 'nothing is left to do')
  await requireWhole(service, { keyArn, credentials, keyringId: plan.keyringId ?? '' })
  return first.replace(/:.*/s, '')
}

/** One of each, and the access key in the file opens what the master key wraps. */
async function requireWhole(
  service: TestService,
  { keyArn, credentials, keyringId }: { keyArn: string; credentials: Credentials; keyringId: string },
): Promise<void> {
  const [iam, kms] = [service.iam(), service.kms()]
  const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: 'strongroom-db1' }))
  const { Keys = [] } = await kms.send(new ListKeysCommand({}))
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({}))
  assert.deepEqual(
    [
      AccessKeyMetadata.map(({ AccessKeyId }) => AccessKeyId),
      Keys.map(({ KeyArn }) => KeyArn),
      Aliases.filter(({ TargetKeyId }) => TargetKeyId !== undefined).map(({ AliasName }) => AliasName),
    ],
    [[credentials.accessKeyId], [keyArn], ['alias/strongroom-db1']],
  )
  const EncryptionContext = { 'strongroom-keyring': keyringId }
  const server = service.kms(credentials)
  const wrap = new GenerateDataKeyWithoutPlaintextCommand({
    KeyId: keyArn,
    EncryptionContext,
    KeySpec: 'AES_256',
  })
  const { CiphertextBlob } = await server.send(wrap)
  await server.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
}
