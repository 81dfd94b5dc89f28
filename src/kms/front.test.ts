import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { connect, type PeerCertificate } from 'node:tls'
import { pino } from 'pino'
import { startTestService, type TestService } from '../../test/support/kms-service.ts'
import { RootKey } from './seal/root-key.ts'
import { migrations } from './state/schema.ts'
import { CertificateAuthority } from './tls/certificate-authority.ts'
import { identityFromFiles, issuedIdentity } from './tls/server-identity.ts'

const names = ['localhost', '127.0.0.1']

function overTls(service: TestService, ca?: string): NodeHttpHandler {
  return new NodeHttpHandler({
    httpsAgent: new Agent({ ca: ca ?? readFileSync(join(service.directory, 'ca.pem'), 'utf8') }),
  })
}

async function peer(url: string, options: { ca?: string; maxVersion?: 'TLSv1.1' }): Promise<PeerCertificate> {
  const { hostname: host, port } = new URL(url)
  const socket = connect({
    host,
    port: Number(port),
    rejectUnauthorized: options.ca !== undefined,
    ...options,
  })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate()
  } finally {
    socket.destroy()
  }
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-tls-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return directory
}

function emptyDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  for (const migration of migrations) database.exec(migration)
  return database
}

const rootKey = (): RootKey => new RootKey(Buffer.alloc(32, 7))

describe('TLS', () => {
  test('the own certificate authority is trusted by clients that have its certificate, and stays the same', async (t) => {
    const service = await startTestService(t, { tls: { names } })
    assert.match(service.current.url, /^https:\/\/127\.0\.0\.1:/)
    const ca = readFileSync(join(service.directory, 'ca.pem'), 'utf8')
    const sts = new STSClient({ ...service.clientConfig(), requestHandler: overTls(service) })
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, '111122223333')
    await service.reopen()
    const again = new STSClient({ ...service.clientConfig(), requestHandler: overTls(service, ca) })
    assert.equal((await again.send(new GetCallerIdentityCommand({}))).Account, '111122223333')
  })

  test('a client without the certificate, and one with an old version of TLS, are not served', async (t) => {
    const service = await startTestService(t, { tls: { names } })
    const sts = new STSClient({ ...service.clientConfig(), requestHandler: new NodeHttpHandler({}) })
    await assert.rejects(sts.send(new GetCallerIdentityCommand({})), /unable to verify|self-signed|issuer/)
    await assert.rejects(peer(service.current.url, { maxVersion: 'TLSv1.1' }))
  })

  test('policies see whether a request came over TLS', async (t) => {
    const policy = (root: string): string =>
      JSON.stringify({
        Statement: [
          { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 'kms:DescribeKey',
            Resource: '*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      })
    const describe = async (kms: KMSClient): Promise<string | undefined> => {
      const Policy = policy('arn:aws:iam::111122223333:root')
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }))
      await kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
      return KeyMetadata?.KeyState
    }
    const plain = await startTestService(t)
    await assert.rejects(describe(plain.kms()), { name: 'AccessDeniedException' })
    const secure = await startTestService(t, { tls: { names } })
    const kms = new KMSClient({ ...secure.clientConfig(), requestHandler: overTls(secure) })
    assert.equal(await describe(kms), 'Enabled')
  })

  test('a certificate has the names that were asked for, and 90 days', async () => {
    const now = new Date('2030-01-01T00:00:00Z')
    const authority = await CertificateAuthority.open(emptyDatabase(), rootKey(), now)
    const issued = await authority.issue(['kms.example.com', '10.1.2.3', '2001:db8::1'], now)
    const [certificate, ca] = [
      new X509Certificate(issued.certificate),
      new X509Certificate(authority.certificate),
    ]
    assert.equal(certificate.checkIssued(ca) && certificate.verify(ca.publicKey), true)
    assert.equal(ca.ca, true)
    assert.equal(certificate.ca, false)
    assert.equal(certificate.checkHost('kms.example.com'), 'kms.example.com')
    assert.equal(certificate.checkHost('other.example.com'), undefined)
    assert.equal(certificate.checkIP('10.1.2.3'), '10.1.2.3')
    assert.ok(certificate.checkIP('2001:db8::1'))
    assert.equal(issued.notAfter.toISOString(), '2030-04-01T00:00:00.000Z')
    assert.equal(new Date(certificate.validTo).toISOString(), '2030-04-01T00:00:00.000Z')
  })

  test('the private key of the authority is sealed to its certificate', async () => {
    const database = emptyDatabase()
    const now = new Date('2030-01-01T00:00:00Z')
    const { certificate } = await CertificateAuthority.open(database, rootKey(), now)
    assert.equal((await CertificateAuthority.open(database, rootKey(), now)).certificate, certificate)
    database.prepare('UPDATE certificate_authority SET certificate = ?').run(certificate + '\n')
    await assert.rejects(CertificateAuthority.open(database, rootKey(), now), {
      code: 'SR_KMS_DATABASE_DAMAGED',
    })
  })

  test('an issued certificate is renewed 30 days before its end', async () => {
    const now = new Date('2030-01-01T00:00:00Z')
    const authority = await CertificateAuthority.open(emptyDatabase(), rootKey(), now)
    const identity = await issuedIdentity(authority, names, now)
    const first = identity.current()
    assert.equal(await identity.renew(new Date('2030-03-01T00:00:00Z')), false)
    assert.equal(await identity.renew(new Date('2030-03-03T00:00:00Z')), true)
    assert.notEqual(identity.current().cert, first.cert)
    assert.notEqual(identity.current().key, first.key)
  })

  test('certificate files are read again when they change, and stay when they are broken', async (t) => {
    const directory = scratch(t)
    const files = { certificateFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
    const authority = await CertificateAuthority.open(emptyDatabase(), rootKey(), new Date())
    const put = async (): Promise<string> => {
      const { certificate, privateKey } = await authority.issue(names, new Date())
      for (const [path, text] of [
        [files.certificateFile, certificate],
        [files.keyFile, privateKey],
      ] as const) {
        writeFileSync(`${path}.new`, text)
        renameSync(`${path}.new`, path)
      }
      return certificate
    }
    const first = await put()
    const service = await startTestService(t, { tls: files })
    assert.equal(
      (await peer(service.current.url, { ca: authority.certificate })).fingerprint256,
      new X509Certificate(first).fingerprint256,
    )
    const log: string[] = []
    const identity = identityFromFiles(files, pino({}, { write: (line) => log.push(line) }))
    assert.equal(await identity.renew(new Date()), false)
    const second = await put()
    assert.equal(await identity.renew(new Date()), true)
    assert.equal(identity.current().cert, second)
    writeFileSync(files.keyFile, 'broken')
    assert.equal(await identity.renew(new Date()), false)
    assert.equal(identity.current().cert, second)
    assert.match(log.join(''), /the old certificate stays/)
    assert.doesNotMatch(log.join(''), /BEGIN PRIVATE/)
  })

  test('files that are missing or do not belong together stop the start', async (t) => {
    const directory = scratch(t)
    const files = { certificateFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
    await assert.rejects(startTestService(t, { tls: files }), { code: 'SR_KMS_TLS', message: /cert\.pem/ })
    const authority = await CertificateAuthority.open(emptyDatabase(), rootKey(), new Date())
    writeFileSync(files.certificateFile, (await authority.issue(names, new Date())).certificate)
    writeFileSync(files.keyFile, (await authority.issue(names, new Date())).privateKey)
    await assert.rejects(startTestService(t, { tls: files }), {
      code: 'SR_KMS_TLS',
      message: /are no certificate and its private key/,
    })
  })

  test('without TLS an address that other machines reach is refused, unless it is allowed', async (t) => {
    await assert.rejects(startTestService(t, { listen: '0.0.0.0:0' }), {
      code: 'SR_KMS_LISTEN',
      message: /without TLS/,
    })
    // An address that no machine has (RFC 5737): allowed, it is tried.
    await assert.rejects(startTestService(t, { listen: '192.0.2.1:0', allowPlainHttp: true }), {
      code: 'SR_KMS_LISTEN',
      message: /EADDRNOTAVAIL/,
    })
  })
})

describe('pages for machines', () => {
  test('metrics count requests by operation and result, and names that strangers choose as one', async (t) => {
    const service = await startTestService(t, { metricsListen: '127.0.0.1:0' })
    await service.kms().send(new ListKeysCommand({}))
    await assert.rejects(service.kms().send(new ListKeysCommand({ Limit: 0 })))
    for (const name of ['Anything', 'AnythingElse', 'ListKeys']) {
      const headers = { 'x-amz-target': `TrentService.${name}` }
      await (await fetch(service.current.url, { method: 'POST', headers, body: '{}' })).text()
    }
    const url = service.current.metricsUrl
    assert.ok(url)
    const text = await (await fetch(`${url}/metrics`)).text()
    const counted = text.split('\n').filter((line) => line.startsWith('strongroom_kms_requests_total{'))
    assert.deepEqual(counted.sort(), [
      'strongroom_kms_requests_total{service="kms",operation="ListKeys",result="ValidationException"} 1',
      'strongroom_kms_requests_total{service="kms",operation="ListKeys",result="ok"} 1',
      'strongroom_kms_requests_total{service="kms",operation="Unknown",result="MissingAuthenticationTokenException"} 3',
    ])
    assert.match(
      text,
      /^strongroom_kms_request_duration_seconds_count\{service="kms",operation="ListKeys"\} 2$/m,
    )
    assert.match(text, /^strongroom_kms_audit_trail_healthy 1$/m)
    assert.match(text, /^process_resident_memory_bytes \d+$/m)
    // Not where clients are served: there it would be open to everybody.
    assert.notEqual((await fetch(`${service.current.url}/metrics`)).status, 200)
    assert.equal((await fetch(`${url}/other`)).status, 404)
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
  })

  test('the service is not healthy while its audit trail cannot be written', async (t) => {
    const service = await startTestService(t, { metricsListen: '127.0.0.1:0' })
    const { url, metricsUrl } = service.current
    const trail = join(service.directory, 'audit-trail.jsonl')
    renameSync(trail, `${trail}.away`)
    const sick = await fetch(`${url}/healthz`)
    assert.equal(sick.status, 503)
    assert.equal(await sick.text(), 'the audit trail cannot be written; the log says why\n')
    assert.match(await (await fetch(`${metricsUrl ?? ''}/metrics`)).text(), /audit_trail_healthy 0$/m)
    renameSync(`${trail}.away`, trail)
    const well = await fetch(`${url}/healthz`)
    assert.equal(well.status, 200)
    assert.equal(await well.text(), 'ok\n')
  })

  test('a principal over its quota is told to wait, and others are not', async (t) => {
    const service = await startTestService(t, {
      quotas: { all: undefined, perOperation: new Map([['ListKeys', 3]]) },
    })
    const calls = Array.from({ length: 6 }, () => service.kms().send(new ListKeysCommand({})))
    const ended = await Promise.allSettled(calls)
    const refused = ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
    assert.ok(refused.length >= 1 && refused.length <= 3, String(refused.length))
    assert.ok(refused.every((text) => text.startsWith('ThrottlingException: You have exceeded the rate')))
    const codes = service.trail().map((record) => record['errorCode'])
    assert.equal(codes.filter((code) => code === 'ThrottlingException').length, refused.length)
  })
})
