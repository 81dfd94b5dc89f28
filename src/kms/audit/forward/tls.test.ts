import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { RootKey } from '../../seal/root-key.ts'
import { migrations } from '../../state/schema.ts'
import { CertificateAuthority } from '../../tls/certificate-authority.ts'
import { openDestination } from './open-destination.ts'

const line = Buffer.from('{"eventTime":"2026-11-25T04:36:49Z","eventName":"Decrypt"}')

/** A certificate for 127.0.0.1, and the file with the authority that signed it. */
async function identity(t: TestContext): Promise<{ cert: string; key: string; caFile: string }> {
  const database = new DatabaseSync(':memory:')
  for (const migration of migrations) database.exec(migration)
  const authority = await CertificateAuthority.open(database, new RootKey(Buffer.alloc(32, 7)), new Date())
  const { certificate, privateKey } = await authority.issue(['127.0.0.1'], new Date())
  const caFile = join(scratchDirectory(t), 'ca.pem')
  writeFileSync(caFile, authority.certificate)
  return { cert: certificate, key: privateKey, caFile }
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('TLS goes to a receiver whose authority is trusted, and to no other', async (t) => {
  const { cert, key, caFile } = await identity(t)
  const received: string[] = []
  const syslog = createTlsServer({ cert, key }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => received.push(`syslog ${String(chunk)}`))
  })
  const https = createHttpsServer({ cert, key }, (request, response) => {
    request.on('data', (chunk) => received.push(`https ${String(chunk)}`))
    request.on('end', () => response.writeHead(200).end())
  })
  const urls = [
    `syslog:tls://127.0.0.1:${await listening(t, syslog)}`,
    `https://127.0.0.1:${await listening(t, https)}/in`,
  ]
  const never = new AbortController().signal
  for (const to of urls) {
    const untrusting = openDestination({ to })
    await assert.rejects(untrusting.send([line], never), /certificate/, to)
    untrusting.close()
    const trusting = openDestination({ to, caFile })
    await trusting.send([line], never)
    trusting.close()
  }
  assert.equal(received.length, 2)
  assert.match(received[0] ?? '', /^syslog \d+ <110>1 .* Decrypt - \{"eventTime"/)
  assert.equal(received[1], `https ${line.toString()}\n`)
})
