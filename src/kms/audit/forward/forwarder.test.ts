import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { headOf, openTestTrail, recordingPino, testKey } from '../../../../test/support/audit-trail.ts'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { until } from '../../../../test/support/until.ts'
import type { AuditTrail, TrailOptions } from '../audit-trail.ts'
import { linkOf } from '../chain.ts'
import type { ForwardOptions } from '../options.ts'
import { finishedSegments } from '../segments.ts'
import { verifyFiles, verifyTrail } from '../verify-trail.ts'
import { Cursor } from './cursor.ts'
import { openDestination } from './open-destination.ts'
import { Forwarder } from './forwarder.ts'

interface Forwarding {
  readonly trail: AuditTrail
  readonly forwarder: Forwarder
  readonly close: () => Promise<void>
}

async function forwarding(
  t: TestContext,
  directory: string,
  forward: ForwardOptions,
  options: Partial<TrailOptions> = {},
): Promise<Forwarding> {
  const path = join(directory, 'audit-trail.jsonl')
  const trail = await openTestTrail(path, { maxSize: 20_000, ...options })
  const cursor = await Cursor.open(join(directory, 'audit-forward.json'))
  const log = options.log ?? pino({ level: 'silent' })
  const forwarder = new Forwarder(trail, path, { cursor, destination: openDestination(forward), log })
  let isOpen = true
  const close = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await forwarder.close()
    await trail.close()
  }
  t.after(close)
  return { trail, forwarder, close }
}

async function appendMany(trail: AuditTrail, count: number): Promise<void> {
  const record = { eventTime: '2026-11-25T04:36:49Z', eventName: 'Decrypt', text: 'é'.repeat(50) }
  // Not all at once, or they would go into one file.
  for (let done = 0; done < count; done += 20) {
    await Promise.all(Array.from({ length: Math.min(20, count - done) }, () => trail.append(record)))
  }
}

/** That each of the records came, in order, some of them perhaps again. */
function assertComplete(lines: readonly string[], count: number): void {
  const numbers = lines.map(
    (line) => linkOf(Buffer.from(line))?.sequence ?? assert.fail(`no record: ${line}`),
  )
  const news = numbers.filter((number, index) => number > Math.max(0, ...numbers.slice(0, index)))
  assert.deepEqual(
    news,
    Array.from({ length: count }, (_, index) => index + 1),
  )
}

/** A syslog receiver over TCP; it can be stopped, as if it were killed, and started again at the same port. */
class SyslogReceiver {
  readonly messages: string[] = []
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()
  port = 0

  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      let rest: Buffer = Buffer.alloc(0)
      socket.on('error', () => socket.destroy())
      socket.on('data', (chunk) => {
        rest = this.#take(Buffer.concat([rest, Buffer.from(chunk)]))
      })
    })
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#sockets.clear()
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.close()
    await once(server, 'close')
  }

  #take(bytes: Buffer): Buffer {
    for (;;) {
      const [frame, length = ''] = /^(\d+) /.exec(bytes.toString('latin1', 0, 12)) ?? []
      if (frame === undefined || bytes.length < frame.length + Number(length)) return bytes
      this.messages.push(bytes.toString('utf8', frame.length, frame.length + Number(length)))
      bytes = bytes.subarray(frame.length + Number(length))
    }
  }
}

const syslogHeader = /^<110>1 2026-11-25T04:36:49Z \S+ strongroom-kms \d+ Decrypt - (?=\{)/

async function receiver(t: TestContext): Promise<SyslogReceiver> {
  const started = new SyslogReceiver()
  await started.start()
  t.after(() => started.stop())
  return started
}

test('syslog over TCP: a receiver that dies and comes back, a service that is stopped meanwhile: nothing is lost', async (t) => {
  const directory = scratchDirectory(t)
  const syslog = await receiver(t)
  const to = { to: `syslog:tcp://127.0.0.1:${syslog.port}` }
  const { log, entries } = recordingPino()
  let one = await forwarding(t, directory, to, { log })
  await appendMany(one.trail, 200)
  await until('some arrived', () => syslog.messages.length >= 100)
  await syslog.stop()
  await appendMany(one.trail, 100)
  await until('the failure is noticed', () =>
    JSON.stringify(entries()).includes('cannot forward the audit trail'),
  )
  assert.ok(one.forwarder.backlog() >= 100)
  await one.close()

  one = await forwarding(t, directory, to)
  await appendMany(one.trail, 100)
  await syslog.start()
  await until('all have arrived', () => one.forwarder.backlog() === 0)
  await one.close()
  assert.ok(finishedSegments(join(directory, 'audit-trail.jsonl')).length > 3)
  const lines = syslog.messages.map((message) => {
    assert.match(message, syslogHeader)
    return message.replace(syslogHeader, '')
  })
  assertComplete(lines, 400)
  assert.equal(readFileSync(join(directory, 'audit-forward.json'), 'utf8'), '{"forwarded":400}\n')
})

test('syslog over TCP: what was written to a connection that breaks at once is sent again', async (t) => {
  const directory = scratchDirectory(t)
  const syslog = await receiver(t)
  const one = await forwarding(t, directory, { to: `syslog:tcp://127.0.0.1:${syslog.port}` })
  await appendMany(one.trail, 10)
  await until('they arrived', () => syslog.messages.length >= 10)
  // As if the receiver had ended with them in its memory.
  syslog.messages.length = 0
  await syslog.stop()
  await syslog.start()
  await until('they arrived again', () => syslog.messages.length >= 10 && one.forwarder.backlog() === 0)
  await one.close()
  assertComplete(
    syslog.messages.map((message) => message.replace(syslogHeader, '')),
    10,
  )
})

interface Received {
  readonly lines: string[]
  readonly authorization: (string | undefined)[]
}

/** An HTTP receiver that answers with the statuses given, then with 204; only what it says it took counts. */
async function httpReceiver(
  t: TestContext,
  statuses: (number | 'none')[],
): Promise<{ url: string; received: Received }> {
  const received: Received = { lines: [], authorization: [] }
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = statuses.shift() ?? 204
      if (status === 'none') {
        request.socket.destroy()
        return
      }
      received.authorization.push(request.headers.authorization)
      assert.equal(request.headers['content-type'], 'application/x-ndjson')
      if (status === 204) received.lines.push(...Buffer.concat(chunks).toString().split('\n').slice(0, -1))
      response.writeHead(status).end('some text')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/collect`, received }
}

test('HTTP: what is not answered with 2xx is sent again, in order, and arrives as it is in the trail', async (t) => {
  const directory = scratchDirectory(t)
  const tokenFile = join(directory, 'token')
  writeFileSync(tokenFile, 'a-token\n')
  const { url, received } = await httpReceiver(t, [503, 'none', 401])
  const { log, entries } = recordingPino()
  const one = await forwarding(t, directory, { to: url, tokenFile }, { log })
  await appendMany(one.trail, 300)
  await until('all have arrived', () => one.forwarder.backlog() === 0)
  writeFileSync(tokenFile, 'another-token\n')
  await appendMany(one.trail, 10)
  await until('all have arrived', () => one.forwarder.backlog() === 0)
  await one.close()
  assertComplete(received.lines, 310)
  const copy = join(directory, 'copy.jsonl')
  writeFileSync(copy, received.lines.map((line) => `${line}\n`).join(''))
  assert.deepEqual((await verifyFiles([copy], { key: testKey })).breaks, [])
  assert.equal(received.authorization[0], 'Bearer a-token')
  assert.equal(received.authorization.at(-1), 'Bearer another-token')
  assert.match(JSON.stringify(entries()), /"reason":"the answer was 503".*is forwarded again/)
  assert.equal(JSON.stringify(entries()).includes('-token'), false)
})

test('syslog over UDP: every record in a datagram, one that is too large without its parameters', async (t) => {
  const directory = scratchDirectory(t)
  const messages: string[] = []
  const socket = createSocket('udp4', (message) => messages.push(message.toString()))
  t.after(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const one = await forwarding(t, directory, { to: `syslog:udp://127.0.0.1:${socket.address().port}` })
  await appendMany(one.trail, 1)
  const large = { policy: 'x'.repeat(70_000) }
  const record = { eventTime: '2026-11-25T04:36:49Z', eventName: 'PutKeyPolicy', eventID: 'an-id' }
  await one.trail.append({ ...record, requestParameters: large })
  await until('both arrived', () => messages.length === 2)
  await one.close()
  assert.match(messages[0] ?? '', syslogHeader)
  assert.match(
    messages[1] ?? '',
    /PutKeyPolicy - \{"eventTime":"2026-11-25T04:36:49Z","eventName":"PutKeyPolicy","eventID":"an-id","omitted":"[a-z ]+","chain":\{"sequence":2,/,
  )
})

test('no request waits for a receiver that does not answer', async (t) => {
  const directory = scratchDirectory(t)
  const silent = createServer(() => undefined)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const one = await forwarding(t, directory, { to: `http://127.0.0.1:${port}/` })
  await appendMany(one.trail, 100)
  await appendMany(one.trail, 100)
  assert.equal(one.forwarder.backlog(), 200)
  await one.close()
  silent.close()
})

test('a receiver that stops reading does not keep the service from stopping', async (t) => {
  const directory = scratchDirectory(t)
  const sockets: Socket[] = []
  const stalled = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket))
  stalled.listen(0, '127.0.0.1')
  await once(stalled, 'listening')
  const address = stalled.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const one = await forwarding(t, directory, { to: `syslog:tcp://127.0.0.1:${port}` })
  const record = { eventTime: '2026-11-25T04:36:49Z', eventName: 'PutKeyPolicy', text: 'x'.repeat(1_000_000) }
  for (let n = 0; n < 20; n++) await one.trail.append(record)
  await until('it has connected', () => sockets.length > 0)
  await one.close()
  assert.ok(one.forwarder.backlog() > 0)
  for (const socket of sockets) socket.destroy()
  stalled.close()
})

test('a file is kept until its records have arrived, then removed, and the trail says so', async (t) => {
  const directory = scratchDirectory(t)
  const path = join(directory, 'audit-trail.jsonl')
  const syslog = await receiver(t)
  await syslog.stop()
  const to = { to: `syslog:tcp://127.0.0.1:${syslog.port}` }
  // The records are of today, and must not be younger than tomorrow.
  const one = await forwarding(t, directory, to, { keepDays: -36_500 })
  await appendMany(one.trail, 200)
  await appendMany(one.trail, 200)
  assert.ok(finishedSegments(path).length >= 2)
  assert.equal(finishedSegments(path)[0]?.first, 1)
  await syslog.start()
  await until('all have arrived', () => one.forwarder.backlog() === 0)
  await until('the cursor is on disk', () =>
    readFileSync(join(directory, 'audit-forward.json'), 'utf8').includes('400'),
  )
  await appendMany(one.trail, 200)
  await until('the first file is gone', () => finishedSegments(path)[0]?.first !== 1)
  await one.close()
  const verdict = await verifyTrail(path, { key: testKey, head: headOf(path).read() })
  assert.deepEqual(verdict.breaks, [])
  assert.match(
    verdict.notes.join(),
    /records 1 to \d+ are not here: the service removed them because of their age/,
  )
})

test('what can not be forwarded to is refused, and no password is repeated', () => {
  const table: [to: string, message: RegExp][] = [
    ['nowhere', /has the form/],
    ['ftp://host/', /begins with http:/],
    ['syslog:unix:/dev/log', /no sockets such as \/dev\/log/],
    ['syslog:tcp://', /has the form|host is missing/],
    ['https://user:secret-word@host/', /holds no password/],
  ]
  for (const [to, message] of table) {
    assert.throws(
      () => openDestination({ to }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'SR_CONFIG_INVALID')
        assert.match(error.message, message)
        assert.equal(error.message.includes('secret-word'), false)
        return true
      },
      to,
    )
  }
  assert.throws(() => openDestination({ to: 'https://host/', caFile: '/nowhere' }), {
    code: 'SR_CONFIG_INVALID',
    message: /cannot read \/nowhere \(ENOENT\)/,
  })
})
