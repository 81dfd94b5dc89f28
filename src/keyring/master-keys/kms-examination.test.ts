import {
  CreateAliasCommand,
  DisableKeyCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { newKey } from '../../../test/support/kms-keys.ts'
import { type Credentials, startTestService, type TestService } from '../../../test/support/kms-service.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { AwsKmsMasterKey } from './aws-kms.ts'

const agentActions = ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:DescribeKey']

interface Site {
  readonly service: TestService
  readonly kms: KMSClient
  readonly arn: string
  readonly masterKey: (name: string | undefined, credentials: Credentials, url?: string) => AwsKmsMasterKey
}

async function site(t: TestContext): Promise<Site> {
  const service = await startTestService(t)
  const kms = service.kms()
  const { arn } = await newKey(kms)
  return {
    service,
    kms,
    arn,
    masterKey(masterKeyId, credentials, endpointUrl = service.current.url) {
      const credentialsFile = join(scratchDirectory(t), 'credentials')
      const { accessKeyId, secretAccessKey } = credentials
      writeFileSync(
        credentialsFile,
        `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
      )
      const masterKey = new AwsKmsMasterKey({
        ...{ masterKeyId, region: 'us-east-1', endpointUrl, requestTimeout: 5000, credentialsFile },
        profile: undefined,
      })
      t.after(() => {
        masterKey.close()
      })
      return masterKey
    },
  }
}

const context = {
  'strongroom-keyring': '0'.repeat(32),
  'strongroom-key-id': '1',
  'strongroom-key-version': '9',
}
const everythingAllowed = {
  'kms:DescribeKey': null,
  'kms:GenerateDataKeyWithoutPlaintext': null,
  'kms:Decrypt': null,
}

test('an agent’s user with its three rights: nothing is made, nothing is needless', async (t) => {
  const { service, arn, masterKey } = await site(t)
  const user = await service.makeUser('mariadb', { Action: agentActions })
  const before = service.trail().length
  const found = await masterKey(arn, user).examine(context, [arn])
  assert.deepEqual(found.described, [{ name: arn, arn, state: 'Enabled' }])
  assert.deepEqual(found.needed, everythingAllowed)
  assert.deepEqual(found.needless, [])
  assert.ok(found.clockAhead !== undefined && Math.abs(found.clockAhead) < 30_000)
  const calls = service.trail().slice(before)
  assert.equal(calls.length, 6)
  for (const { eventName, requestParameters } of calls) {
    if (eventName !== 'DescribeKey') assert.match(JSON.stringify(requestParameters), /"dryRun":true/)
  }
})

test('the rights are tried with the context of a new key, as policies demand it', async (t) => {
  const { service, arn, masterKey } = await site(t)
  const condition = (value: string) => ({
    StringEquals: { 'kms:EncryptionContext:strongroom-keyring': value },
  })
  const user = await service.makeUser(
    'mariadb',
    { Action: 'kms:DescribeKey' },
    { Action: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'], Condition: condition('0'.repeat(32)) },
  )
  assert.deepEqual((await masterKey(arn, user).examine(context, [])).needed, everythingAllowed)
  const other = { ...context, 'strongroom-keyring': '1'.repeat(32) }
  const refused = await masterKey(arn, user).examine(other, [])
  assert.equal(refused.needed['kms:Decrypt']?.code, 'SR_KMS_ACCESS_DENIED')
  assert.equal(refused.needed['kms:GenerateDataKeyWithoutPlaintext']?.code, 'SR_KMS_ACCESS_DENIED')
})

test('each right that is missing, and each that is needless', async (t) => {
  const { service, kms, arn, masterKey } = await site(t)
  const poor = await service.makeUser('poor', { Action: ['kms:Decrypt'] })
  const { needed, described } = await masterKey(arn, poor).examine(context, [])
  assert.equal(needed['kms:DescribeKey']?.code, 'SR_KMS_ACCESS_DENIED')
  assert.equal(needed['kms:GenerateDataKeyWithoutPlaintext']?.code, 'SR_KMS_ACCESS_DENIED')
  assert.equal(needed['kms:Decrypt'], null)
  assert.equal(described[0]?.problem?.code, 'SR_KMS_ACCESS_DENIED')
  const rich = await service.makeUser('rich', { Action: 'kms:*' })
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/mariadb', TargetKeyId: arn }))
  for (const name of [arn, 'alias/mariadb']) {
    assert.deepEqual((await masterKey(name, rich).examine(context, [])).needless, [
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:CreateGrant',
    ])
  }
})

test('states, aliases, and the other master keys of stored keys', async (t) => {
  const { service, kms, arn, masterKey } = await site(t)
  const user = await service.makeUser('mariadb', { Action: agentActions })
  const disabled = await newKey(kms)
  const dying = await newKey(kms)
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/mariadb', TargetKeyId: arn }))
  await kms.send(new DisableKeyCommand({ KeyId: disabled.arn }))
  const { DeletionDate } = await kms.send(
    new ScheduleKeyDeletionCommand({ KeyId: dying.arn, PendingWindowInDays: 7 }),
  )
  const found = await masterKey('alias/mariadb', user).examine(context, [arn, disabled.arn, dying.arn])
  assert.deepEqual(found.described, [
    { name: 'alias/mariadb', arn, state: 'Enabled' },
    { name: disabled.arn, arn: disabled.arn, state: 'Disabled' },
    {
      name: dying.arn,
      arn: dying.arn,
      state: 'PendingDeletion',
      deletionDate: DeletionDate?.toISOString(),
    },
  ])
  const unset = await masterKey(undefined, user).examine(context, [disabled.arn])
  assert.deepEqual(
    [unset.name, unset.described[0]?.state, unset.needed],
    [undefined, 'Disabled', { 'kms:DescribeKey': null }],
  )
})

test('a KMS that does not take the credentials, and one that is not there', async (t) => {
  const { arn, masterKey } = await site(t)
  const stranger = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'an-example' }
  const refused = await masterKey(arn, stranger).examine(context, [])
  assert.equal(refused.described[0]?.problem?.code, 'SR_KMS_CREDENTIALS')
  assert.deepEqual([refused.needed, refused.needless], [{}, []])
  const gone = await masterKey(arn, stranger, 'http://127.0.0.1:1').examine(context, [])
  assert.equal(gone.described[0]?.problem?.code, 'SR_KMS_UNREACHABLE')
  assert.equal(gone.clockAhead, undefined)
})

test('a KMS that does what it was asked to try is asked for no more', async (t) => {
  const { masterKey, arn } = await site(t)
  const asked: string[] = []
  const endpoint = await endpointOf(t, (request, response) => {
    request.resume()
    asked.push(String(request.headers['x-amz-target']).replace('TrentService.', ''))
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(
      `{"KeyMetadata":{"KeyId":"k","Arn":"${arn}","KeyState":"Enabled"},"Plaintext":"AAAA","KeyId":"${arn}"}`,
    )
  })
  const somebody = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'an-example' }
  const found = await masterKey(arn, somebody, endpoint).examine(context, [])
  assert.deepEqual(asked, ['DescribeKey', 'GenerateDataKeyWithoutPlaintext', 'Decrypt'])
  assert.deepEqual([found.needed, found.needless], [{ 'kms:DescribeKey': null }, []])
})

test('the clock of an answer that refuses is read too', async (t) => {
  const { masterKey, arn } = await site(t)
  const endpoint = await endpointOf(t, (request, response) => {
    request.resume()
    const late = new Date(Date.now() + 3_600_000).toUTCString()
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1', date: late })
    response.end('{"__type":"InvalidSignatureException","message":"Signature not yet current"}')
  })
  const somebody = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'an-example' }
  const { clockAhead = 0 } = await masterKey(arn, somebody, endpoint).examine(context, [])
  assert.ok(Math.abs(clockAhead + 3_600_000) < 30_000, String(clockAhead))
})

/** The URL at which it answers. */
async function endpointOf(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const bound = server.address()
  return `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
}
