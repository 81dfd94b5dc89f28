import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { CreateAccessKeyCommand } from '@aws-sdk/client-iam'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import { systemCode } from '../../src/errors.ts'
import { tlsSite, type TlsSite } from '../support/kms-tls-site.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { addSealedSecrets } from '../support/sealed-secrets.ts'
import { type Finding, SecretSearch } from '../support/secret-search.ts'
import { refuseEverySecret } from '../support/secrets-in-bad-requests.ts'
import { useEverySecret } from '../support/secret-uses.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

test('the search finds a secret, and twelve bytes of it, in every form', (t) => {
  const secret = Buffer.from('00017f80ff22205c0a2b2f3d41626364c3a99f10fedcba98', 'hex')
  const search = new SecretSearch()
  search.add('key', secret)
  const part = secret.subarray(5, 17)
  for (const planted of [
    part,
    '22205c0a2b2f3d41626364c3',
    '22205C0A2B2F3D41626364C3',
    '<Buffer 22 20 5c 0a 2b 2f 3d 41 62 63 64 c3>',
    JSON.stringify({ err: { rawPacket: part } }),
    JSON.stringify(Object.fromEntries(secret.entries())),
    'IiBcCisvPUFiY2TD',
    `x${Buffer.concat([Buffer.from('a'), secret, Buffer.from('bc')]).toString('base64')}`,
    `x${Buffer.concat([Buffer.from('ab'), secret]).toString('base64url')}`,
    // base32 of `part`
    'EIQFYCRLF46UCYTDMTB',
    JSON.stringify(part.toString('latin1')),
    JSON.stringify(JSON.stringify(part.toString('latin1'))),
    secret.toString('utf8'),
    '%22%20%5C%0A%2B%2F%3D%41%62%63%64%C3',
  ]) {
    const hay = Buffer.concat([randomBytes(1000), Buffer.from(planted), randomBytes(1000)])
    assert.equal(search.in(hay, 'here')[0]?.secret, 'key', String(planted))
  }
  assert.deepEqual(search.in(Buffer.concat([randomBytes(500), part.subarray(1), randomBytes(500)]), ''), [])
  assert.deepEqual(search.in(randomBytes(1_000_000), ''), [])

  search.addCode('code', '123456')
  assert.equal(search.in('{"tokenCode":"123456"}', '')[0]?.secret, 'code')
  assert.deepEqual(search.in('{"time":1712345678}', ''), [])

  const directory = scratchDirectory(t)
  mkdirSync(join(directory, 'a'))
  writeFileSync(join(directory, 'a', 'log'), `{"msg":"${secret.toString('base64')}"}`)
  assert.deepEqual(search.inFiles(directory).found[0]?.place, 'a/log')
})

test('at the most verbose level no secret is in a log, the trail, an error or a process argument', async (t) => {
  const { scratch, data, small } = scratchWithSmallDisk(t)
  const [passphraseFile, tokenFile] = [join(scratch, 'passphrase'), join(scratch, 'token')]
  const search = new SecretSearch()
  const passphrase = randomBytes(18).toString('base64')
  search.add('passphrase', passphrase)
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 })
  const token = randomBytes(24).toString('base64url')
  search.add('bearer token', token)
  writeFileSync(tokenFile, token, { mode: 0o600 })
  const receiver = await receiverOfRecords(t, token)

  const seen = new Map<string, string>()
  const look = (name: string, content: string): void => void seen.set(name, content)
  const run = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await strongroom(['kms', ...args])
    assert.equal(code, 0, stdout + stderr)
    look(`strongroom kms ${args.join(' ')}`, stdout + stderr)
  }
  const flags = ['--tls-names', 'localhost,127.0.0.1', '--regions', 'eu-west-1', '--log-level', 'trace']
  const forward = ['--audit-forward', receiver.url, '--audit-forward-token-file', tokenFile]
  const start = async (...more: string[]): Promise<Daemon> => {
    const listen = ['--listen', '127.0.0.1:0', '--metrics-listen', `127.0.0.1:${metricsPort}`]
    const args = ['kms', '--data', data, ...listen, ...flags, ...forward, '--audit-max-size', '64K', ...more]
    const daemon = await startDaemon({ args, directory: scratch, name: 'kms' })
    t.after(() => daemon.stop('SIGKILL'))
    look(`processes of ${daemon.pid}`, visible(daemon))
    return daemon
  }
  const metricsPort = await freePort()

  const first = await start()
  const site = tlsSite(first.url, data)
  search.add('secret access key of root', site.root.secretAccessKey)
  const used = await useEverySecret(site, search)
  const answers = await refuseEverySecret(site, search, used)
  for (const [what, answer] of answers) look(`answer to ${what}`, answer)
  requireRefused(answers)
  if (small) look('answers while the disk is full', await fillDisk(site, { data, search, keyId: used.keyId }))
  look('metrics', await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text())
  const backup = join(scratch, 'backup')
  await run('backup', '--data', data, '--to', backup, '--with-audit-trail')
  await run('audit', 'verify', '--data', data, '--json')
  await run('simulate', '--data', data, '--key', used.keyId, '--action', 'kms:Decrypt', '--json')
  // The database and what of it is in the write-ahead log alone.
  cpSync(data, join(scratch, 'running'), { recursive: true, filter: (path) => !path.endsWith('.sock') })
  await first.stop()
  const sealed = await addSealedSecrets(data, search)
  assert.deepEqual(Object.keys(sealed).sort(), [
    'access_keys',
    'backing_keys',
    'certificate_authority',
    'import_parameters',
    'mfa_devices',
    'sessions',
  ])
  await run('restore', '--check', '--from', backup, '--root-key', join(data, 'root-key'))

  await run('reseal', '--data', data, '--seal', 'passphrase', '--new-passphrase-file', passphraseFile)
  const second = await start('--passphrase-file', passphraseFile)
  await requireDecrypts(tlsSite(second.url, data).kms(), used.blob)
  await until('all records were forwarded', () => receiver.received().includes('"GetSessionToken"'))
  await second.stop()
  look('what was forwarded', receiver.received())

  const found = [...seen].flatMap(([name, content]) => search.in(content, name))
  const { found: inFiles, searched } = search.inFiles(scratch)
  assert.deepEqual(shown([...found, ...inFiles.filter((one) => !isDocumented(one))]), [])
  for (const file of [
    'kms.log',
    'data/kms.db',
    'running/kms.db-wal',
    'data/audit-trail.jsonl',
    'backup/kms.db',
  ]) {
    assert.ok(searched.includes(file), `${file} was not searched`)
  }
  assert.ok(
    searched.some((file) => /^data\/audit-trail\.\d+\.jsonl$/.test(file)),
    'no finished file',
  )
  assert.ok(search.size > 80, String(search.size))
  assert.match(readFileSync(join(scratch, 'kms.log'), 'utf8'), /"level":20/)
  // What is documented to be there: the search has eyes.
  const known = inFiles.filter(isDocumented).map(({ secret, place }) => `${secret}: ${place}`)
  assert.deepEqual([...new Set(known)].sort(), [
    'bearer token: token',
    'passphrase: passphrase',
    'root key: running/root-key',
    'secret access key of root: data/root-access-key',
    'secret access key of root: running/root-access-key',
  ])
})

/** What the documents say is in a file as it is: the root key without a seal, the first access key, and our own files. */
const documented: Readonly<Record<string, RegExp>> = {
  'root key': /^running\/root-key$/,
  'secret access key of root': /^(data|running)\/root-access-key$/,
  passphrase: /^passphrase$/,
  'bearer token': /^token$/,
}

function isDocumented({ secret, place }: Finding): boolean {
  return documented[secret]?.test(place) === true
}

function shown(found: readonly Finding[]): string[] {
  return found.map(({ secret, form, place }) => `${secret} (${form}) in ${place}`)
}

function requireRefused(answers: ReadonlyMap<string, string>): void {
  for (const [what, answer] of answers) {
    // Members that nobody knows are ignored, as Amazon does; all else is refused.
    if (/nobody knows|^a header$|^a query$/.test(what)) continue
    assert.doesNotMatch(answer, /^(200|500) /, what)
  }
  assert.ok(answers.size > 30)
}

/** With a data directory whose disk can be filled, where we may mount one. */
function scratchWithSmallDisk(t: TestContext): { scratch: string; data: string; small: boolean } {
  const scratch = mkdtempSync(join(tmpdir(), 'strongroom-test-'))
  const data = join(scratch, 'data')
  mkdirSync(data, { mode: 0o700 })
  const small = process.getuid?.() === 0
  if (small) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'tmpfs', data])
  t.after(() => {
    if (small) execFileSync('umount', ['--lazy', data])
    rmSync(scratch, { recursive: true, force: true })
  })
  return { scratch, data, small }
}

/** Fails inside, with secrets at hand: the database is full, then the trail. */
async function fillDisk(
  site: TlsSite,
  { data, search, keyId }: { data: string; search: SecretSearch; keyId: string },
): Promise<string> {
  const filler = join(data, 'filler')
  fillUp(filler)
  const answers: string[] = []
  const Plaintext = randomBytes(40)
  search.add('plaintext on a full disk', Plaintext)
  const body = JSON.stringify({ KeyId: keyId, Plaintext: Plaintext.toString('base64') })
  await until('a request fails inside', async () => {
    answers.push(await site.raw({ operation: 'CreateKey', body: '{}' }))
    answers.push(await site.raw({ operation: 'Encrypt', body }))
    answers.push(await refusal(site.iam().send(new CreateAccessKeyCommand({ UserName: 'alice' }))))
    return answers.some((answer) => answer.startsWith('500'))
  })
  rmSync(filler)
  await until('requests are answered again', async () =>
    (await site.raw({ operation: 'Encrypt', body })).startsWith('200'),
  )
  return answers.filter((answer) => !answer.startsWith('200')).join('\n')
}

/** The service takes some of the space meanwhile: what is left is not known beforehand. */
function fillUp(filler: string): void {
  for (;;) {
    try {
      appendFileSync(filler, Buffer.alloc(4096))
    } catch (error) {
      if (systemCode(error) === 'ENOSPC') return
      throw error
    }
  }
}

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return '200'
  } catch (error) {
    return `${String(error)} ${JSON.stringify(error)}`
  }
}

async function requireDecrypts(kms: KMSClient, CiphertextBlob: Uint8Array): Promise<void> {
  const { KeyId, Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
}

function visible({ pid }: Daemon): string {
  return ['cmdline', 'environ', 'status', 'comm']
    .map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'))
    .join()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = addressOf(server.address())
  server.close()
  await once(server, 'close')
  return port
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address
}

/** Takes the records that are forwarded, from who has the token. */
async function receiverOfRecords(
  t: TestContext,
  token: string,
): Promise<{ url: string; received: () => string }> {
  let received = ''
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const known = request.headers.authorization === `Bearer ${token}`
      if (known) received += body
      response.writeHead(known ? 204 : 403).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${addressOf(server.address()).port}/`, received: () => received }
}
