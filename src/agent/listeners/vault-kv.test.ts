import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FakeMasterKey } from '../../../test/support/fake-master-key.ts'
import { openKeyring } from '../../../test/support/keyring.ts'
import { RecordingLog } from '../../../test/support/recording-log.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { askVault } from '../../../test/support/vault-client.ts'
import { parseCreationRule } from '../../keyring/creation-rule.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import { AccessTokens } from '../access-tokens.ts'
import { VaultHandler } from './vault-handler.ts'
import { listenForVaultClients } from './vault-kv.ts'

const token = 'an-example-token-of-some-length'

interface Setup {
  readonly url: string
  readonly keyring: Keyring
  readonly masterKey: FakeMasterKey
  readonly log: RecordingLog
  readonly tokenFile: string
  readonly tokens: AccessTokens
}

async function listen(context: TestContext): Promise<Setup> {
  const directory = scratchDirectory(context)
  const masterKey = new FakeMasterKey()
  const creationRule = parseCreationRule('1-9')
  const { keyring } = await openKeyring(context, directory, masterKey, { creationRule })
  const tokenFile = join(directory, 'token')
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  const tokens = new AccessTokens(tokenFile)
  const log = new RecordingLog()
  const handler = new VaultHandler(new Map([['mariadb', { keys: keyring, tokens }]]), log)
  const config = { address: { host: '127.0.0.1', port: 0 }, tls: undefined }
  const listener = await listenForVaultClients(config, handler)
  context.after(() => listener.close())
  return { url: listener.url, keyring, masterKey, log, tokenFile, tokens }
}

async function ask(url: string, headers: Record<string, string> = { 'X-Vault-Token': token }) {
  return await askVault(url, headers)
}

/** Sends bytes as they are; resolves to all that came back until the connection ended. */
async function exchange(url: string, sent: string): Promise<string> {
  return await new Promise((resolve) => {
    let heard = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(sent))
    socket.on('data', (data) => (heard += data.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      resolve(heard)
    })
  })
}

test('answers as the plugin expects: tune, the latest version, one version, no such key', async (t) => {
  const { url, keyring } = await listen(t)
  assert.deepEqual(await ask(`${url}/v1/sys/mounts/mariadb/tune`), {
    status: 200,
    body: '{"options":{"version":"2"}}',
  })
  const created = await ask(`${url}/v1/mariadb/data/1`)
  const digits = keyring.latest(1)?.lend((bytes) => bytes.toString('hex')) ?? ''
  const wanted = { status: 200, body: `{"data":{"data":{"data":"${digits}"},"metadata":{"version":1}}}` }
  assert.equal(digits.length, 64)
  assert.deepEqual(created, wanted)
  await keyring.rotate(1)
  assert.match((await ask(`${url}/v1/mariadb/data/1`))?.body ?? '', /"version":2}/)
  assert.deepEqual(await ask(`${url}/v1/mariadb/data/1?version=1`), wanted)
  for (const path of [
    'mariadb/data/10',
    'mariadb/data/1?version=3',
    'mariadb/data/3?version=1',
    'mariadb/data/0',
  ]) {
    assert.deepEqual(await ask(`${url}/v1/${path}`), { status: 404, body: '{"errors":[]}' }, path)
  }
})

test('anything else is 404, whoever asks', async (t) => {
  const { url } = await listen(t)
  for (const path of [
    '',
    '/',
    '/v1/other/data/1',
    '/v1/mariadb/data/1/',
    '/v1/mariadb/data/1?version=1&x=2',
    '/v1/mariadb/data/4294967296',
    '/v1/mariadb/data/-1',
    '/v1/mariadb/data/01',
    '/v1/mariadb/data/1?version=0',
  ]) {
    assert.equal((await ask(`${url}${path}`, {}))?.status, 404, path)
  }
  const post = await new Promise((resolve) => {
    request(
      `${url}/v1/mariadb/data/1`,
      { method: 'POST', headers: { 'X-Vault-Token': token } },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    ).end('{}')
  })
  assert.equal(post, 404)
})

test('K3: a wrong token is refused at the start only; later the connection ends, so that a cache is used', async (t) => {
  const { url, log } = await listen(t)
  for (const headers of [
    {},
    { 'X-Vault-Token': '' },
    { 'X-Vault-Token': `${token}x` },
    { 'X-Vault-Token': token.slice(1) },
  ]) {
    assert.equal((await ask(`${url}/v1/sys/mounts/mariadb/tune`, headers))?.status, 403)
    assert.equal(await ask(`${url}/v1/mariadb/data/1`, headers), undefined)
  }
  assert.equal(log.lines.length, 1)
  assert.ok(!JSON.stringify(log.lines).includes(token))
})

test('a new token stands beside the old one until that is taken away', async (t) => {
  const { url, tokenFile, tokens } = await listen(t)
  const statusWith = async (value: string) =>
    (await ask(`${url}/v1/sys/mounts/mariadb/tune`, { 'X-Vault-Token': value }))?.status
  const next = 'another-example-token-quite-long'

  writeFileSync(tokenFile, `# since November\n${next}\n\n${token}\n`)
  tokens.reload()
  assert.deepEqual([await statusWith(next), await statusWith(token)], [200, 200])
  writeFileSync(tokenFile, next)
  tokens.reload()
  assert.deepEqual([await statusWith(next), await statusWith(token)], [200, 403])
  writeFileSync(tokenFile, '\n')
  assert.throws(
    () => {
      tokens.reload()
    },
    { code: 'SR_TOKEN_INVALID' },
  )
  assert.equal(await statusWith(next), 200)
})

test('K8: what can not be had in time is left to the next request; the creation goes on', async (t) => {
  const { url, masterKey } = await listen(t)
  masterKey.delay = 2500
  const begun = performance.now()
  assert.equal(await ask(`${url}/v1/mariadb/data/4`), undefined)
  assert.ok(performance.now() - begun < 2000)
  masterKey.delay = 0
  const answer = await ask(`${url}/v1/mariadb/data/4`)
  assert.equal((answer ?? (await ask(`${url}/v1/mariadb/data/4`)))?.status, 200)
  assert.equal(masterKey.wraps, 1)
})

test('K8: half a request and no request at all end within two seconds, with no answer', async (t) => {
  const { url } = await listen(t)
  for (const sent of ['', 'GET /v1/mariadb/data/1 HTTP/1.1\r\nHost: x\r\nX-Vault-To']) {
    const begun = performance.now()
    assert.equal(await exchange(url, sent), '')
    assert.ok(performance.now() - begun < 2500)
  }
})

test('K3: with the KMS gone, 5000 requests for a held key are answered without a call to it', async (t) => {
  const { url, masterKey } = await listen(t)
  await ask(`${url}/v1/mariadb/data/1`)
  const calls = masterKey.wraps + masterKey.unwraps
  masterKey.fault = 'SR_KMS_UNREACHABLE'
  let answered = 0
  const client = async (): Promise<void> => {
    for (let round = 0; round < 250; round++) {
      if ((await ask(`${url}/v1/mariadb/data/1${round % 2 ? '?version=1' : ''}`))?.status === 200)
        answered += 1
    }
  }
  await Promise.all(Array.from({ length: 20 }, client))
  assert.equal(answered, 5000)
  assert.equal(masterKey.wraps + masterKey.unwraps, calls)
})

for (const [what, head, wanted] of [
  ['without Host', 'GET PATH HTTP/1.1\r\nX-Vault-Token: TOKEN\r\n', 200],
  [
    'with an Expect of unknown meaning',
    'GET PATH HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nX-Vault-Token: TOKEN\r\n',
    200,
  ],
  ['in absolute form', 'GET http://127.0.0.1PATH HTTP/1.1\r\nHost: x\r\nX-Vault-Token: TOKEN\r\n', 200],
  ['of HTTP/1.0', 'GET PATH HTTP/1.0\r\nX-Vault-Token: TOKEN\r\n', 200],
  ['that is no HTTP', 'HELLO\r\n', undefined],
  [
    'with more headers than there is room for',
    `GET PATH HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n`,
    undefined,
  ],
] as const) {
  test(`K3: a request ${what} is ${wanted === undefined ? 'ended without an answer' : 'answered'}`, async (t) => {
    const { url, keyring } = await listen(t)
    await keyring.create(1)
    const text = head.replace('PATH', '/v1/mariadb/data/1').replace('TOKEN', token)
    const heard = await exchange(url, `${text}Connection: close\r\n\r\n`)
    if (wanted === undefined) assert.equal(heard, '')
    else assert.ok(heard.startsWith(`HTTP/1.1 ${wanted} `), heard)
  })
}

test('K8: a pipelined request with a wrong token ends the connection, too', async (t) => {
  const { url, keyring } = await listen(t)
  await keyring.create(1)
  const one = (value: string) =>
    `GET /v1/mariadb/data/1 HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${value}\r\n\r\n`
  const begun = performance.now()
  await exchange(url, one(token) + one('wrong'))
  assert.ok(performance.now() - begun < 2000)
})

test('an address that is in use is told of', async (t) => {
  const { url } = await listen(t)
  const address = { host: '127.0.0.1', port: Number(new URL(url).port) }
  await assert.rejects(
    listenForVaultClients({ address, tls: undefined }, new VaultHandler(new Map(), new RecordingLog())),
    {
      code: 'SR_LISTEN_FAILED',
      message: /^cannot listen at 127\.0\.0\.1:\d+ \(EADDRINUSE\): /,
    },
  )
})

test('K6: the prepared answer is zeroed with its key', async (t) => {
  const { url, keyring } = await listen(t)
  await ask(`${url}/v1/mariadb/data/1`)
  const key = keyring.latest(1)
  assert.ok(key)
  const { VaultAnswers } = await import('./vault-answer.ts')
  const answer = new VaultAnswers().for(key)
  assert.match(answer.toString(), /[0-9a-f]{64}/)
  await keyring.close()
  assert.deepEqual(answer, Buffer.alloc(answer.length))
})
