import { CreateKeyCommand, DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { z } from 'zod'
import { type Credentials, startTestService } from '../../test/support/kms-service.ts'
import { PluginClient } from '../../test/support/plugin-client.ts'
import { RecordingLog } from '../../test/support/recording-log.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { enableDevice, getSession } from '../../test/support/sts-session.ts'
import { until } from '../../test/support/until.ts'
import { type Agent, startAgent } from './agent.ts'
import { readAgentConfig } from './config.ts'

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

interface Site {
  /** Of the user whom the key policy lets use the master key with MFA alone. */
  readonly longTerm: Credentials
  /** A session of the same user that a code was shown for. */
  readonly session: Credentials
  readonly options: Readonly<Record<string, string>>
  readonly log: RecordingLog
  /** An agent with one keyring of these lines. */
  readonly start: (...lines: string[]) => Promise<Agent>
  readonly connect: (options?: Readonly<Record<string, string>>) => Promise<PluginClient>
  readonly post: (body: string, path?: string) => Promise<Answer>
  /** With their end so many milliseconds from now. */
  readonly handOver: (credentials: Credentials, milliseconds?: number) => Promise<Record<string, unknown>>
}

async function site(t: TestContext): Promise<Site> {
  const directory = scratchDirectory(t)
  for (const folder of ['run', 'data']) mkdirSync(join(directory, folder))
  const service = await startTestService(t)
  const longTerm = await service.makeUser('dba')
  const kms = service.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy: policyThatDemandsMfa }))
  const masterKeyId = KeyMetadata?.Arn ?? assert.fail()
  const { serialNumber: SerialNumber, app } = await enableDevice(service.iam(), 'dba', 'phone')
  const TokenCode = app.code(new Date(), 30)
  const session = await getSession(service, longTerm, { SerialNumber, TokenCode, DurationSeconds: 900 })
  await requireMfaIsDemanded(service.kms(longTerm), kms, masterKeyId)
  const log = new RecordingLog()
  const socket = join(directory, 'admin.sock')
  const post = (body: string, path = '/keyrings/mariadb/credentials') => send(socket, path, body)
  return {
    longTerm,
    session,
    options: {
      'master-key-id': masterKeyId,
      'endpoint-url': service.current.url,
      region: service.current.region,
    },
    log,
    start: async (...lines) => {
      const file = join(directory, 'agent.conf')
      const keyring = ['[keyring mariadb]', 'store = directory:data', ...lines].join('\n')
      writeFileSync(
        file,
        `[agent]\nadmin-socket = admin.sock\n[plugin-listener]\ndirectory = run\n${keyring}\n`,
      )
      writeFileSync(join(directory, 'credentials'), credentialsFile(longTerm))
      const agent = await startAgent(readAgentConfig(file), log)
      t.after(() => agent.stop())
      return agent
    },
    connect: (options) => PluginClient.connect(join(directory, 'run/mariadb/agent.sock'), options),
    post,
    handOver: async (credentials, milliseconds = 900_000) => {
      const expiration = new Date(Date.now() + milliseconds)
      const { status, body } = await post(JSON.stringify({ ...credentials, expiration }))
      assert.equal(status, 200, body)
      return z.record(z.string(), z.unknown()).parse(JSON.parse(body))
    },
  }
}

test('K4: an agent that waits for with-mfa goes on at once; after their end it serves what it holds', async (t) => {
  const { session, options, log, start, connect, handOver } = await site(t)
  const lines = ['credentials = with-mfa', ...linesOf(options)]
  const first = await start(...lines)
  const early = await connect()
  assert.notEqual((await early.getLatest(1))?.type, 'key')
  assert.match(
    log.messages('error').join('\n'),
    /^key 1, version 1 is not created: no credentials have been/m,
  )
  await handOver(session)
  assert.equal((await early.getLatest(1))?.type, 'key')
  early.close()
  await first.stop()

  const second = await start(...lines)
  let isReady = false
  void second.whenReady().then(() => (isReady = true))
  await until('it waits', () =>
    log.messages('error').some((line) => line.startsWith('aws-kms-key.1.1 waits')),
  )
  assert.equal(isReady, false)
  assert.deepEqual({ ...(await handOver(session)), expiration: '' }, ready)
  await until('it is ready', () => isReady)

  const client = await connect()
  await handOver(session, 1500)
  let keyId = 100
  await until('they are over', async () => (await client.getLatest((keyId += 1)))?.type !== 'key')
  assert.equal((await client.getLatest(1))?.type, 'key', 'K3')
  const refusal = log.lines.find(({ fields }) => 'code' in fields && fields.code === expired)
  assert.match(
    refusal?.message ?? '',
    /^key \d+, version 1 is not created: the credentials that `strongroom with-mfa` handed over expired at 20\S+Z; run it again$/,
  )
  await handOver(session)
  assert.equal((await client.getLatest(keyId))?.type, 'key')
  client.close()
})

test('beside a standard place they come first; after their end that one counts, and refusals name it', async (t) => {
  const { session, options, log, start, connect, handOver } = await site(t)
  await start('credentials-file = credentials', ...linesOf(options))
  const client = await connect()
  assert.notEqual((await client.getLatest(1))?.type, 'key')
  assert.match(
    log.messages('error').join('\n'),
    /^key 1, .*denies the agent's user[^;]*; check the key policy/m,
  )
  assert.doesNotMatch(log.messages('error').join('\n'), /with-mfa/)
  await handOver(session)
  assert.equal((await client.getLatest(1))?.type, 'key')
  await handOver(session, 1500)
  let keyId = 100
  await until('they are over', async () => (await client.getLatest((keyId += 1)))?.type !== 'key')
  assert.match(
    log.messages('error').at(-1) ?? '',
    /denies the agent's user .*; the credentials that `strongroom with-mfa` handed over expired at 20\S+Z; run it again$/,
  )
  await handOver(session)
  assert.equal((await client.getLatest(keyId))?.type, 'key')
  client.close()
})

test('what is handed over before MariaDB says which KMS it is, is used there', async (t) => {
  const { session, options, start, connect, handOver } = await site(t)
  const lines = ['credentials = with-mfa', ...linesOf(options)]
  const first = await start(...lines)
  const early = await connect()
  await handOver(session)
  assert.equal((await early.getLatest(1))?.type, 'key')
  early.close()
  await first.stop()

  await start('credentials = with-mfa', 'accept-options-from = plugin')
  const { trouble, ...state } = await handOver(session)
  assert.deepEqual({ ...state, expiration: '' }, { isReady: false, waitsForServer: true, expiration: '' })
  assert.match(JSON.stringify(trouble), /^\{"code":"SR_MASTER_KEY_UNSET"/)
  const client = await connect(options)
  await until('the key is unwrapped', async () => (await client.getLatest(1))?.type === 'key')
  client.close()
})

test('the clock of the KMS counts: what it calls expired is not tried again', async (t) => {
  const { session, options, log, start, connect, handOver } = await site(t)
  await start('credentials = with-mfa', ...linesOf(options))
  await handOver(session, 3_600_000)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 901_000 })
  const client = await connect()
  assert.notEqual((await client.getLatest(1))?.type, 'key')
  assert.notEqual((await client.getLatest(2))?.type, 'key')
  client.close()
  const [first = '', second = ''] = log.messages('error')
  assert.match(
    first,
    /^key 1, .* does not accept the agent's credentials from `strongroom with-mfa`.*\(ExpiredTokenException: .*, request id \S+\); the credentials .* expired at/,
  )
  assert.match(second, /^key 2, version 1 is not created: the credentials that `strongroom with-mfa` handed/)
})

test('credentials that are no such, or over, are refused without quoting them; those before stay', async (t) => {
  const { session, options, log, start, connect, post, handOver } = await site(t)
  await start('credentials = with-mfa', ...linesOf(options))
  await handOver(session)
  const expiration = new Date(Date.now() + 900_000).toISOString()
  const good = { ...session, expiration }
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  for (const [body, says] of [
    [`{"secretAccessKey": "${secret}`, 'not JSON'],
    ['', 'not JSON'],
    ['[]', 'expected object'],
    [JSON.stringify({ ...good, sessionToken: undefined }), 'sessionToken: '],
    [JSON.stringify({ ...good, secretAccessKey: `${secret}\n` }), 'secretAccessKey: must be visible ASCII'],
    [JSON.stringify({ ...good, expiration: 'tomorrow' }), 'expiration: '],
    [JSON.stringify({ ...good, more: secret }), 'Unrecognized key'],
    [JSON.stringify({ ...good, sessionToken: 'A'.repeat(12_289) }), 'sessionToken: '],
    ['A'.repeat(16_385), 'longer than 16384 bytes'],
  ] as const) {
    const answer = await post(body)
    assert.equal(answer.status, 400)
    assert.match(
      answer.body,
      /^\{"code":"SR_ADMIN_FAILED","message":"the agent does not take such credentials: /,
    )
    assert.ok(answer.body.includes(says), answer.body)
    assert.ok(!answer.body.includes(secret.slice(0, 12)), answer.body)
  }
  const over = await post(JSON.stringify({ ...good, expiration: '2026-01-01T00:00:00.000Z' }))
  assert.equal(over.status, 400)
  assert.match(over.body, /^\{"code":"SR_KMS_CREDENTIALS_EXPIRED".*by the agent's clock it is 20\S+Z; check/)
  const elsewhere = await post(JSON.stringify(good), '/keyrings/other/credentials')
  assert.match(elsewhere.body, /no keyring \\"other\\"; it has mariadb/)

  const client = await connect()
  assert.equal((await client.getLatest(1))?.type, 'key', 'the first are still in use')
  client.close()
  const logged = JSON.stringify(log.lines)
  for (const text of [secret, session.secretAccessKey, session.sessionToken ?? ''])
    assert.ok(!logged.includes(text))
  assert.ok(logged.includes(session.accessKeyId), 'by which the KMS’s log can be searched')
})

const expired = 'SR_KMS_CREDENTIALS_EXPIRED'
const ready = { isReady: true, waitsForServer: false, expiration: '' }

const policyThatDemandsMfa = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:root' },
      Action: 'kms:*',
      Resource: '*',
    },
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:user/dba' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'],
      Resource: '*',
      Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
    },
  ],
})

/** Else the tests would prove nothing. */
async function requireMfaIsDemanded(asUser: KMSClient, asRoot: KMSClient, KeyId: string): Promise<void> {
  const { CiphertextBlob } = await asRoot.send(
    new EncryptCommand({ KeyId, Plaintext: Buffer.from('payroll') }),
  )
  await assert.rejects(asUser.send(new DecryptCommand({ CiphertextBlob })), { name: 'AccessDeniedException' })
}

function linesOf(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, value]) => `${name} = ${value}`)
}

function credentialsFile({ accessKeyId, secretAccessKey }: Credentials): string {
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
}

async function send(socketPath: string, path: string, body: string): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    request({ socketPath, method: 'POST', path, agent: false }, (response) => {
      text(response).then((answered) => {
        resolve({ status: response.statusCode, body: answered })
      }, reject)
    })
      .once('error', reject)
      .end(body)
  })
}
