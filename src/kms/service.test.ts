import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import {
  type Credentials,
  readRootAccessKey,
  replaceDatasync,
  startTestService,
  type TestService,
} from '../../test/support/kms-service.ts'

const rootArn = 'arn:aws:iam::111122223333:root'
const mariadbArn = 'arn:aws:iam::111122223333:user/mariadb'
const wholeAccount = { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' }

function policyOf(...statements: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

async function newUser(service: TestService, name: string): Promise<Credentials> {
  const iam = service.iam()
  await iam.send(new CreateUserCommand({ UserName: name }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }))
  assert.ok(AccessKey?.AccessKeyId !== undefined && AccessKey.SecretAccessKey !== undefined)
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
}

async function newKeyId(client: KMSClient, policy?: string): Promise<string> {
  const { KeyMetadata } = await client.send(
    new CreateKeyCommand(policy === undefined ? {} : { Policy: policy }),
  )
  return KeyMetadata?.KeyId ?? assert.fail('no key')
}

describe('who may do what', () => {
  test('a user may do what the key policy says by name, on that key alone', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const mariadb = service.kms(await newUser(service, 'mariadb'))
    const user = { Effect: 'Allow', Principal: { AWS: mariadbArn }, Resource: '*' }
    const policy = policyOf(wholeAccount, {
      ...user,
      Action: ['kms:GenerateDataKeyWithoutPlaintext', 'kms:Decrypt'],
      Condition: { StringEquals: { 'kms:EncryptionContext:keyring': 'main' } },
    })
    const [mine, other] = [await newKeyId(root, policy), await newKeyId(root)]
    const EncryptionContext = { keyring: 'main' }
    const { CiphertextBlob } = await mariadb.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: mine, KeySpec: 'AES_256', EncryptionContext }),
    )
    await mariadb.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    const keyArn = (id: string): string => `arn:aws:kms:us-east-1:111122223333:key/${id}`
    const refusals: [Promise<unknown>, string][] = [
      [
        mariadb.send(new DecryptCommand({ CiphertextBlob })),
        `User: ${mariadbArn} is not authorized to perform: kms:Decrypt on resource: ${keyArn(mine)} ` +
          'because no identity-based policy allows the kms:Decrypt action',
      ],
      [
        mariadb.send(new DisableKeyCommand({ KeyId: mine })),
        `User: ${mariadbArn} is not authorized to perform: kms:DisableKey on resource: ${keyArn(mine)} ` +
          'because no identity-based policy allows the kms:DisableKey action',
      ],
      [
        mariadb.send(new ListKeysCommand({})),
        `User: ${mariadbArn} is not authorized to perform: kms:ListKeys on resource: * ` +
          'because no identity-based policy allows the kms:ListKeys action',
      ],
    ]
    for (const [refused, message] of refusals) {
      await assert.rejects(refused, { name: 'AccessDeniedException', message })
    }
    const { CiphertextBlob: ofOther } = await root.send(
      new EncryptCommand({ KeyId: other, Plaintext: Buffer.from('x') }),
    )
    await assert.rejects(mariadb.send(new DecryptCommand({ CiphertextBlob: ofOther })), {
      name: 'AccessDeniedException',
    })
    for (const command of [
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: mine,
      }),
      new ReEncryptCommand({ CiphertextBlob: ofOther, DestinationKeyId: mine }),
    ]) {
      await assert.rejects(mariadb.send(command), { message: /kms:ReEncryptFrom/ })
    }
    await assert.rejects(root.send(new PutKeyPolicyCommand({ KeyId: mine, Policy: policyOf(user) })), {
      name: 'MalformedPolicyDocumentException',
    })
  })

  test('a policy that names users only keeps the root user out', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const mariadb = service.kms(await newUser(service, 'mariadb'))
    const key = await newKeyId(root)
    const Policy = policyOf({
      Effect: 'Allow',
      Principal: { AWS: mariadbArn },
      Action: 'kms:*',
      Resource: '*',
    })
    await assert.rejects(root.send(new PutKeyPolicyCommand({ KeyId: key, Policy })), {
      name: 'MalformedPolicyDocumentException',
      message: 'The new key policy will not allow you to update the key policy in the future.',
    })
    await root.send(new PutKeyPolicyCommand({ KeyId: key, Policy, BypassPolicyLockoutSafetyCheck: true }))
    await assert.rejects(root.send(new DescribeKeyCommand({ KeyId: key })), {
      name: 'AccessDeniedException',
      message: /because no resource-based policy allows the kms:DescribeKey action$/,
    })
    const read = await mariadb.send(new GetKeyPolicyCommand({ KeyId: key, PolicyName: 'default' }))
    assert.equal(read.Policy, Policy)
    await mariadb.send(
      new PutKeyPolicyCommand({
        KeyId: key,
        Policy: policyOf(wholeAccount),
        BypassPolicyLockoutSafetyCheck: true,
      }),
    )
    await root.send(new DescribeKeyCommand({ KeyId: key }))
  })

  test('a policy must name principals that exist, and be one that can be obeyed', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const key = await newKeyId(root)
    for (const name of [
      mariadbArn,
      'arn:aws:iam::999999999999:root',
      'arn:aws:iam::111122223333:user/*',
      'mariadb',
    ]) {
      const Policy = policyOf(wholeAccount, { ...wholeAccount, Principal: { AWS: name } })
      await assert.rejects(root.send(new PutKeyPolicyCommand({ KeyId: key, Policy })), {
        name: 'MalformedPolicyDocumentException',
        message: /invalid principals/,
      })
    }
    await newUser(service, 'mariadb')
    const Policy = policyOf(wholeAccount, { ...wholeAccount, Principal: { AWS: mariadbArn } })
    await root.send(new PutKeyPolicyCommand({ KeyId: key, Policy }))
    await assert.rejects(
      root.send(new CreateKeyCommand({ Policy: policyOf({ ...wholeAccount, NotPrincipal: '*' }) })),
      { name: 'MalformedPolicyDocumentException' },
    )
    await assert.rejects(root.send(new PutKeyPolicyCommand({ KeyId: key, Policy, PolicyName: 'other' })), {
      name: 'NotFoundException',
    })
    const long = policyOf({ ...wholeAccount, Sid: 'x'.repeat(33_000) })
    await assert.rejects(root.send(new PutKeyPolicyCommand({ KeyId: key, Policy: long })), {
      name: 'LimitExceededException',
    })
  })

  test('users and access keys', async (t) => {
    const service = await startTestService(t)
    const iam = service.iam()
    const mariadb = await newUser(service, 'mariadb')
    const { User } = await iam.send(new GetUserCommand({ UserName: 'mariadb' }))
    assert.equal(User?.Arn, mariadbArn)
    assert.match(User.UserId ?? '', /^AIDA[A-Z2-7]{16}$/)
    const identity = await new STSClient(service.clientConfig(mariadb)).send(new GetCallerIdentityCommand({}))
    assert.deepEqual(
      [identity.Account, identity.Arn, identity.UserId],
      ['111122223333', mariadbArn, User.UserId],
    )
    const ofRoot = await new STSClient(service.clientConfig()).send(new GetCallerIdentityCommand({}))
    assert.deepEqual([ofRoot.Arn, ofRoot.UserId], [rootArn, '111122223333'])
    await assert.rejects(iam.send(new CreateUserCommand({ UserName: 'MariaDB' })), {
      name: 'EntityAlreadyExistsException',
    })
    await assert.rejects(iam.send(new GetUserCommand({ UserName: 'nobody' })), {
      name: 'NoSuchEntityException',
    })
    await assert.rejects(service.iam(mariadb).send(new CreateUserCommand({ UserName: 'x' })), {
      name: 'AccessDenied',
      message: /not authorized to perform: iam:CreateUser on resource: arn:aws:iam::111122223333:user\/x /,
    })
    const second = await iam.send(new CreateAccessKeyCommand({ UserName: 'mariadb' }))
    await assert.rejects(iam.send(new CreateAccessKeyCommand({ UserName: 'mariadb' })), {
      name: 'LimitExceededException',
    })
    const caller = new STSClient(service.clientConfig(mariadb))
    const AccessKeyId = mariadb.accessKeyId
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'mariadb', AccessKeyId, Status: 'Inactive' }))
    await assert.rejects(caller.send(new GetCallerIdentityCommand({})), { name: 'InvalidClientTokenId' })
    const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: 'mariadb' }))
    assert.deepEqual(
      AccessKeyMetadata?.map((one) => [one.AccessKeyId, one.Status]),
      [
        [AccessKeyId, 'Inactive'],
        [second.AccessKey?.AccessKeyId, 'Active'],
      ],
    )
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'mariadb', AccessKeyId, Status: 'Active' }))
    await caller.send(new GetCallerIdentityCommand({}))
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'mariadb', AccessKeyId }))
    await assert.rejects(service.kms(mariadb).send(new ListKeysCommand({})), {
      name: 'UnrecognizedClientException',
    })
    await assert.rejects(
      iam.send(new DeleteAccessKeyCommand({ AccessKeyId: readRootAccessKey(service.directory).accessKeyId })),
      { message: /last active access key/ },
    )
  })
})

describe('signatures, as the AWS SDK sees them', () => {
  test('wrong secret, wrong region, unknown access key', async (t) => {
    const service = await startTestService(t)
    const root = readRootAccessKey(service.directory)
    const wrongSecret = service.kms({ ...root, secretAccessKey: 'x'.repeat(40) })
    await assert.rejects(wrongSecret.send(new ListKeysCommand({})), { name: 'InvalidSignatureException' })
    const wrongRegion = new KMSClient({ ...service.clientConfig(), region: 'eu-west-1' })
    await assert.rejects(wrongRegion.send(new ListKeysCommand({})), {
      name: 'InvalidSignatureException',
      message: "Credential should be scoped to a valid region, not 'eu-west-1'.",
    })
    const unknown = service.kms({ ...root, accessKeyId: 'AKIAUNKNOWNUNKNOWN00' })
    await assert.rejects(unknown.send(new ListKeysCommand({})), { name: 'UnrecognizedClientException' })
    const [first, second, third] = service.trail()
    assert.deepEqual(
      [first?.['errorCode'], second?.['errorCode']],
      Array(2).fill('InvalidSignatureException'),
    )
    assert.deepEqual(third?.['userIdentity'], { type: 'Unknown', accessKeyId: 'AKIAUNKNOWNUNKNOWN00' })
  })

  test('a client whose clock is off corrects it by our Date header', async (t) => {
    const service = await startTestService(t)
    for (const systemClockOffset of [-3_600_000, 3_600_000]) {
      const client = new KMSClient({ ...service.clientConfig(), systemClockOffset })
      await assert.rejects(client.send(new ListKeysCommand({})), { name: 'InvalidSignatureException' })
      await client.send(new ListKeysCommand({}))
    }
    assert.deepEqual(
      service.trail().map((record) => record['errorCode']),
      ['InvalidSignatureException', undefined, 'InvalidSignatureException', undefined],
    )
  })
})

describe('the protocol on the wire', () => {
  test('every error has a type and a request id, whatever is sent', async (t) => {
    const { current } = await startTestService(t)
    const send = async (headers: Record<string, string>, body: string): Promise<[number, string]> => {
      const response = await fetch(current.url, { method: 'POST', headers, body })
      assert.match(response.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f-]{36}$/)
      assert.ok(response.headers.get('date'))
      return [response.status, await response.text()]
    }
    const [status, unsigned] = await send({ 'x-amz-target': 'TrentService.Decrypt' }, '{}')
    assert.equal(status, 400)
    assert.match(unsigned, /"__type":"MissingAuthenticationTokenException"/)
    assert.match((await send({ 'x-amz-target': 'Other.Decrypt' }, '{}'))[1], /UnknownOperationException/)
    assert.match((await send({}, 'Action=Nothing'))[1], /<Code>InvalidAction<\/Code>/)
    const [queryStatus, xml] = await send({}, 'Action=GetUser&Version=2010-05-08')
    assert.equal(queryStatus, 403)
    assert.match(
      xml,
      /^<ErrorResponse xmlns="https:\/\/iam.*<Code>MissingAuthenticationToken<\/Code>.*<RequestId>/,
    )
    assert.equal(
      (await send({ 'x-amz-target': 'TrentService.Decrypt' }, 'x'.repeat(1024 * 1024 + 1)))[0],
      413,
    )
    assert.match(
      await (await fetch(`${current.url}/other`, { method: 'POST' })).text(),
      /UnknownOperationException/,
    )
    assert.equal((await fetch(`${current.url}/healthz`)).status, 200)
  })
})

describe('the audit trail', () => {
  test('has every request, with what it was about and how it ended, and no secret', async (t) => {
    const lines: string[] = []
    const log = pino(
      { level: 'trace' },
      new Writable({
        write: (chunk, _encoding, done) => {
          lines.push(String(chunk))
          done()
        },
      }),
    )
    const service = await startTestService(t, { log })
    const root = service.kms()
    const user = await newUser(service, 'mariadb')
    const key = await newKeyId(root)
    const EncryptionContext = { keyring: 'main' }
    const data = await root.send(
      new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256', EncryptionContext }),
    )
    const secret = Buffer.from('a very secret plaintext')
    const { CiphertextBlob } = await root.send(new EncryptCommand({ KeyId: key, Plaintext: secret }))
    await root.send(new DecryptCommand({ CiphertextBlob }))
    await assert.rejects(
      service.kms(user).send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob, EncryptionContext })),
    )
    await assert.rejects(root.send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob })))
    const records = service.trail()
    assert.deepEqual(
      records.map((record) => [record['eventName'], record['errorCode'], record['readOnly']]),
      [
        ['CreateUser', undefined, false],
        ['CreateAccessKey', undefined, false],
        ['CreateKey', undefined, false],
        ['GenerateDataKey', undefined, true],
        ['Encrypt', undefined, true],
        ['Decrypt', undefined, true],
        ['Decrypt', 'AccessDeniedException', true],
        ['Decrypt', 'InvalidCiphertextException', true],
      ],
    )
    const { eventTime, requestID, eventID, userAgent, userIdentity, ...rest } = records[3] ?? assert.fail()
    for (const id of [requestID, eventID]) assert.match(String(id), /^[0-9a-f-]{36}$/)
    assert.match(String(eventTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.match(String(userAgent), /aws-sdk-js/)
    assert.deepEqual(userIdentity, {
      type: 'Root',
      principalId: '111122223333',
      arn: rootArn,
      accountId: '111122223333',
      accessKeyId: readRootAccessKey(service.directory).accessKeyId,
    })
    assert.deepEqual(rest, {
      eventVersion: '1.11',
      eventSource: 'kms.amazonaws.com',
      eventName: 'GenerateDataKey',
      awsRegion: 'us-east-1',
      sourceIPAddress: '127.0.0.1',
      requestParameters: { encryptionContext: EncryptionContext, keyId: key, keySpec: 'AES_256' },
      responseElements: null,
      readOnly: true,
      resources: [
        {
          ARN: `arn:aws:kms:us-east-1:111122223333:key/${key}`,
          type: 'AWS::KMS::Key',
          accountId: '111122223333',
        },
      ],
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: '111122223333',
      eventCategory: 'Management',
    })
    assert.match(lines.join(''), /the encryption context is not the one it was made with/)
    await service.reopen()
    const files = ['audit-trail.jsonl', 'kms.db'].map((name) =>
      readFileSync(join(service.directory, name), 'latin1'),
    )
    const everything = [...files, ...lines].join('\n')
    const secrets = [secret, Buffer.from(data.Plaintext ?? assert.fail()), Buffer.from(user.secretAccessKey)]
    const rootSecret = Buffer.from(readRootAccessKey(service.directory).secretAccessKey)
    const rootKey = readFileSync(join(service.directory, 'root-key')).subarray(-32)
    for (const bytes of [...secrets, rootSecret, rootKey]) {
      for (const form of ['latin1', 'base64', 'hex'] as const) {
        assert.equal(everything.includes(bytes.toString(form)), false)
      }
    }
    assert.equal(everything.includes(user.secretAccessKey), false)
  })

  test('is on disk before the answer goes out, and without it there is no answer', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const key = await newKeyId(root)
    const synced = Promise.withResolvers<undefined>()
    const held = await replaceDatasync(() => synced.promise)
    let answered = false
    const request = root.send(new DescribeKeyCommand({ KeyId: key })).then(() => {
      answered = true
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(answered, false)
    assert.equal(service.trail().at(-1)?.['eventName'], 'DescribeKey')
    synced.resolve(undefined)
    await request
    held.restore()

    const broken = await replaceDatasync(() => Promise.reject(new Error('disk full')))
    await assert.rejects(root.send(new DisableKeyCommand({ KeyId: key })), { name: 'KMSInternalException' })
    await assert.rejects(root.send(new CreateKeyCommand({})), { name: 'KMSInternalException' })
    broken.restore()
    // The change that was made just when the trail broke is recorded late; the next request was not carried out at all.
    const { Keys } = await root.send(new ListKeysCommand({}))
    assert.equal(Keys?.length, 1)
    const { KeyMetadata } = await root.send(new DescribeKeyCommand({ KeyId: key }))
    assert.equal(KeyMetadata?.Enabled, false)
    assert.deepEqual(
      service
        .trail()
        .slice(-3)
        .map((record) => record['eventName']),
      ['DisableKey', 'ListKeys', 'DescribeKey'],
    )
  })
})

describe('a restart', () => {
  test('keeps keys, aliases, states, policies, users, access keys and blobs', async (t) => {
    const service = await startTestService(t)
    const user = await newUser(service, 'mariadb')
    const [key, disabled] = [await newKeyId(service.kms()), await newKeyId(service.kms())]
    await service.kms().send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: key }))
    const Policy = policyOf(wholeAccount, { ...wholeAccount, Principal: { AWS: mariadbArn } })
    await service.kms().send(new PutKeyPolicyCommand({ KeyId: key, Policy }))
    const { CiphertextBlob } = await service
      .kms()
      .send(new EncryptCommand({ KeyId: 'alias/a', Plaintext: Buffer.from('x') }))
    await service.kms().send(new DisableKeyCommand({ KeyId: disabled }))
    await service.reopen()
    assert.equal(service.current.created, false)
    const mariadb = service.kms(user)
    const { Plaintext } = await mariadb.send(new DecryptCommand({ CiphertextBlob, KeyId: 'alias/a' }))
    assert.deepEqual(Buffer.from(Plaintext ?? []), Buffer.from('x'))
    const { KeyMetadata } = await service.kms().send(new DescribeKeyCommand({ KeyId: disabled }))
    assert.equal(KeyMetadata?.KeyState, 'Disabled')
    assert.deepEqual(readdirSync(service.directory).sort(), [
      'admin.sock',
      'audit-trail.jsonl',
      'kms.db',
      'kms.db-wal',
      'lock',
      'root-access-key',
      'root-key',
    ])
  })
})
