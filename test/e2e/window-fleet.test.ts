import { IAMClient } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  KMSClient,
  ListGrantsCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { z } from 'zod'
import { makeUser, type Statement } from '../support/identities.ts'
import { newKey } from '../support/kms-keys.ts'
import { type KmsProcess, startKms } from '../support/kms-process.ts'
import { type Credentials, readRootAccessKey, readTrail } from '../support/kms-service.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { until } from '../support/until.ts'
import { dutiesIn, startWindow, type WindowCommand } from '../support/window-command.ts'
import { patiently, stateOf, windowSite } from '../support/window-site.ts'

interface Kms {
  readonly kms: KmsProcess
  readonly kmsDirectory: string
  readonly iam: IAMClient
}

const account = 'arn:aws:iam::111122223333'

/** What docs/master-key-windows.md says that an administrator of windows needs. */
const ofWindows: Statement[] = [
  { Action: ['kms:DescribeKey', 'kms:EnableKey', 'kms:DisableKey'] },
  { Action: 'cloudtrail:LookupEvents' },
]
const ofGrants: Statement[] = [
  { Action: ['kms:DescribeKey', 'kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'] },
  { Action: 'cloudtrail:LookupEvents' },
]

async function start(t: TestContext): Promise<Kms> {
  const kmsDirectory = join(scratchDirectory(t), 'kms')
  const kms = await startKms(t, {
    directory: kmsDirectory,
    args: ['--quotas', 'EnableKey=5, DisableKey=5, LookupEvents=2'],
  })
  const credentials = readRootAccessKey(kmsDirectory)
  const iam = new IAMClient({ endpoint: kms.url, region: 'us-east-1', credentials })
  t.after(() => {
    iam.destroy()
  })
  return { kms, kmsDirectory, iam }
}

function credentialsFile(
  directory: string,
  name: string,
  { accessKeyId, secretAccessKey }: Credentials,
): string {
  const file = join(directory, `${name}.credentials`)
  const lines = [
    '[default]',
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return file
}

function clientFor({ kms }: Kms, credentials: Credentials): KMSClient {
  return new KMSClient({ endpoint: kms.url, region: 'us-east-1', credentials, maxAttempts: 1 })
}

const trailRecord = z.looseObject({
  eventName: z.string(),
  eventTime: z.string(),
  errorCode: z.string().optional(),
  userIdentity: z.looseObject({ userName: z.string().optional() }),
})

function callsOf(kmsDirectory: string, userName: string): z.infer<typeof trailRecord>[] {
  return readTrail(kmsDirectory)
    .map((record) => trailRecord.parse(record))
    .filter(({ userIdentity }) => userIdentity.userName === userName)
}

const report = z.object({
  windows: z.array(
    z.object({
      key: z.string(),
      closedAt: z.string().optional(),
      servers: z.array(z.object({ untilReady: z.string().optional(), ready: z.boolean().optional() })),
      audit: z
        .object({
          complete: z.boolean().optional(),
          uses: z.array(
            z.object({
              principal: z.string(),
              operation: z.string(),
              errorCode: z.string().optional(),
              isExpected: z.boolean().optional(),
            }),
          ),
        })
        .optional(),
    }),
  ),
  refused: z.array(z.object({ key: z.string(), code: z.string() })),
})

async function reportOf(command: WindowCommand): Promise<z.infer<typeof report>> {
  await command.exited
  const line =
    command
      .output()
      .split('\n')
      .find((one) => one.startsWith('{')) ?? assert.fail(command.output())
  return report.parse(JSON.parse(line))
}

const cases: Record<string, (t: TestContext, it: Kms) => Promise<void>> = {
  async 'twenty keys are worked off within the quotas, and a failing server stops none'(t, it) {
    const directory = scratchDirectory(t)
    const admin = it.kms.client()
    const operator = await makeUser(it.iam, 'operator', ofWindows)
    const keys = await disabledKeys(it, 20)
    const never = join(directory, 'never')
    const lines = [
      '# key, and how it is known that its server is up',
      ...keys.map((key, n) => `${key} ${n === 7 ? `test -e ${never}` : 'true'}`),
      // It shares the first key.
      `${keys[0] ?? ''}  sleep 1`,
      'alias/not-there true',
    ]
    const list = join(directory, 'servers.txt')
    writeFileSync(list, lines.join('\n'))
    const place = {
      endpointUrl: it.kms.url,
      stateDirectory: join(directory, 'state'),
      credentialsFile: credentialsFile(directory, 'operator', operator),
    }
    const command = startWindow(t, place, ['window', '--list', list, '--for', '3s', '--no-audit', '--json'])
    const { windows, refused } = await reportOf(command)
    assert.deepEqual((await command.exited).code, 1)
    assert.equal(windows.length, 20)
    assert.deepEqual(
      windows.map(({ servers }) => servers.map(({ ready }) => ready)),
      keys.map((_, n) => (n === 0 ? [true, true] : [n !== 7])),
    )
    assert.deepEqual(refused, [{ key: 'alias/not-there', code: 'SR_AWS_FAILED' }])
    for (const key of keys) assert.equal(await stateOf(admin, key), 'Disabled')
    assert.deepEqual(dutiesIn(place.stateDirectory), [])

    const calls = callsOf(it.kmsDirectory, 'operator')
    assert.deepEqual(
      calls.filter(({ errorCode }) => errorCode === 'ThrottlingException'),
      [],
    )
    for (const [name, count] of [
      ['EnableKey', 20],
      ['DisableKey', 40],
    ] as const) {
      const times = calls.filter(({ eventName }) => eventName === name).map(({ eventTime }) => eventTime)
      assert.equal(times.length, count)
      const most = Math.max(...[...Map.groupBy(times, (time) => time).values()].map(({ length }) => length))
      t.diagnostic(`${count} calls of ${name}, ${most} in one second at most`)
      assert.ok(most <= 5, `${most} calls of ${name} in one second`)
    }
    admin.destroy()
  },

  async 'who has the rights of a window can decrypt nothing, and all the rest is told of'(t, it) {
    const directory = scratchDirectory(t)
    const site = await windowSite(t, it)
    const [operator, mariadb, intruder] = await Promise.all([
      makeUser(it.iam, 'window-operator', ofWindows),
      makeUser(it.iam, 'mariadb', [{ Action: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'] }]),
      makeUser(it.iam, 'intruder', [{ Action: 'kms:Decrypt' }]),
    ])
    await site.admin.send(new CreateAliasCommand({ AliasName: 'alias/mariadb', TargetKeyId: site.key }))
    await patiently(() => site.admin.send(new EnableKeyCommand({ KeyId: site.key })))
    const EncryptionContext = {
      'strongroom-keyring': '0123456789abcdef0123456789abcdef',
      'strongroom-key-id': '1',
      'strongroom-key-version': '2',
    }
    const input = { KeyId: site.key, KeySpec: 'AES_256' as const, EncryptionContext }
    const { CiphertextBlob } = await site.admin.send(new GenerateDataKeyWithoutPlaintextCommand(input))
    await patiently(() => site.admin.send(new DisableKeyCommand({ KeyId: site.key })))

    const place = { ...site, credentialsFile: credentialsFile(directory, 'operator', operator) }
    const expect = ['--expect', `${account}:user/mariadb`]
    const args = ['window', 'alias/mariadb', '--until-ready', `test -e ${site.readyFile}`, ...expect]
    const command = startWindow(t, place, args)
    await command.says('open; closed again')
    const decrypt = new DecryptCommand({ CiphertextBlob, EncryptionContext })
    await clientFor(it, mariadb).send(decrypt)
    await clientFor(it, intruder).send(decrypt)
    await assert.rejects(clientFor(it, operator).send(decrypt), { name: 'AccessDeniedException' })
    writeFileSync(site.readyFile, '')
    assert.equal((await command.exited).code, 1)
    const rows = command
      .output()
      .split('\n')
      .filter((line) => line.includes('Decrypt'))
    assert.equal(rows.length, 3, command.output())
    assert.match(
      rows[0] ?? '',
      /user\/mariadb +Decrypt +1\.2 of 0123456789abcdef0123456789abcdef +127\.0\.0\.1 +ok$/,
    )
    assert.match(rows[1] ?? '', /user\/intruder {2}<< not expected +Decrypt .* ok$/)
    assert.match(rows[2] ?? '', /user\/window-operator {2}<< not expected +Decrypt .* AccessDenied/)
  },

  async 'who may not disable gets no window, for it would not end'(t, it) {
    const directory = scratchDirectory(t)
    const site = await windowSite(t, it)
    const half = await makeUser(it.iam, 'half', [{ Action: ['kms:DescribeKey', 'kms:EnableKey'] }])
    const place = { ...site, credentialsFile: credentialsFile(directory, 'half', half) }
    const command = startWindow(t, place, ['window', site.key, '--for', '1m'])
    assert.equal((await command.exited).code, 1)
    assert.match(command.output(), /cannot make sure that you may disable .*\[SR_AWS_REFUSED\]/)
    assert.ok(!site.proxy.operations.includes('EnableKey'))
    assert.deepEqual(dutiesIn(site.stateDirectory), [])
  },

  async 'who may not revoke gives no grant, for it would stay'(t, it) {
    const directory = scratchDirectory(t)
    const site = await windowSite(t, it)
    await patiently(() => site.admin.send(new EnableKeyCommand({ KeyId: site.key })))
    const half = await makeUser(it.iam, 'half-of-grants', [
      { Action: ['kms:DescribeKey', 'kms:CreateGrant', 'kms:ListGrants'] },
    ])
    const place = { ...site, credentialsFile: credentialsFile(directory, 'half', half) }
    const command = startWindow(t, place, ['window', site.key, '--grant', `${account}:user/replica`])
    assert.equal((await command.exited).code, 1)
    assert.match(command.output(), /cannot revoke the grant to .*\[SR_AWS_REFUSED\]/)
    assert.ok(!site.proxy.operations.includes('CreateGrant'))
    assert.deepEqual(dutiesIn(site.stateDirectory), [])
  },

  async 'a URL tells that the server is up'(t, it) {
    const site = await windowSite(t, it)
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.writeHead(asked < 3 ? 503 : 200).end()
    })
    t.after(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const url = `http://127.0.0.1:${port ?? 0}/ready`
    const command = site.run('window', site.key, '--until-ready', url)
    assert.equal((await command.exited).code, 0)
    assert.match(command.output(), /not ready yet: .* answers 503/)
    assert.equal(asked, 3)
    assert.equal(await site.state(), 'Disabled')
  },

  async 'a grant opens the key to one user alone, and is revoked, also when both processes die'(t, it) {
    const directory = scratchDirectory(t)
    const site = await windowSite(t, it)
    await patiently(() => site.admin.send(new EnableKeyCommand({ KeyId: site.key })))
    const [operator, replica, other] = await Promise.all([
      makeUser(it.iam, 'grant-operator', ofGrants),
      makeUser(it.iam, 'replica', []),
      makeUser(it.iam, 'other', []),
    ])
    const place = { ...site, credentialsFile: credentialsFile(directory, 'operator', operator) }
    const keyring = '0123456789abcdef0123456789abcdef'
    const wrap = (keyringId: string) =>
      new GenerateDataKeyWithoutPlaintextCommand({
        KeyId: site.key,
        KeySpec: 'AES_256',
        EncryptionContext: { 'strongroom-keyring': keyringId },
      })
    const grants = async () =>
      (await site.admin.send(new ListGrantsCommand({ KeyId: site.key }))).Grants ?? []
    const denied = { name: 'AccessDeniedException' }
    const args = ['--grant', `${account}:user/replica`, '--keyring-id', keyring]
    const open = () =>
      startWindow(t, place, ['window', site.key, ...args, '--until-ready', `test -e ${site.readyFile}`])

    const command = open()
    await command.says('open; closed again')
    await clientFor(it, replica).send(wrap(keyring))
    await assert.rejects(clientFor(it, replica).send(wrap('f'.repeat(32))), denied)
    await assert.rejects(clientFor(it, other).send(wrap(keyring)), denied)
    const [grant] = await grants()
    assert.match(grant?.Name ?? '', /^strongroom-window-\d+-[0-9a-f]{16}$/)
    assert.deepEqual(
      grant?.Operations?.sort(),
      ['Decrypt', 'DescribeKey', 'GenerateDataKeyWithoutPlaintext'].sort(),
    )
    process.kill(command.pid, 'SIGKILL')
    await command.exited
    while (command.processes().length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(await grants(), [])
    await assert.rejects(clientFor(it, replica).send(wrap(keyring)), denied)
    assert.equal(await site.state(), 'Enabled')

    const killed = open()
    await killed.says('open; closed again')
    for (const pid of killed.processes()) process.kill(pid, 'SIGKILL')
    await killed.exited
    assert.equal((await grants()).length, 1)
    // The trail's times are whole seconds: what `other` tried is not to be in the next window's first.
    const second = Math.floor(Date.now() / 1000)
    await until('the next second has begun', () => Math.floor(Date.now() / 1000) > second)
    const next = open()
    await next.says('open; closed again')
    // It only looks, and nobody expects it: that doesn't make the window a bad one.
    await grants()
    writeFileSync(site.readyFile, '')
    assert.equal((await next.exited).code, 0, next.output())
    assert.match(
      next.output(),
      /grant strongroom-window-\S+ of master key .* was left over .*: it is closed now/,
    )
    assert.deepEqual(await grants(), [])
  },
}

test('windows for many servers', { concurrency: 3 }, async (t) => {
  const it = await start(t)
  await Promise.all(Object.entries(cases).map(([name, body]) => t.test(name, (t) => body(t, it))))
})

/** Each user has quotas of its own. */
async function disabledKeys(it: Kms, count: number): Promise<string[]> {
  const admin = it.kms.client()
  const disabling = Array.from({ length: Math.ceil(count / 5) }, async (_, n) => {
    const kms = clientFor(it, await makeUser(it.iam, `preparing-${n}`, [{ Action: 'kms:DisableKey' }]))
    const keys: string[] = []
    for (let left = Math.min(5, count - n * 5); left > 0; left--) {
      const { arn } = await newKey(admin)
      await kms.send(new DisableKeyCommand({ KeyId: arn }))
      keys.push(arn)
    }
    kms.destroy()
    return keys
  })
  const keys = (await Promise.all(disabling)).flat()
  admin.destroy()
  return keys
}
