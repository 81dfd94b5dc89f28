import assert from 'node:assert/strict'
import { createServer, Server, ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { once } from 'node:events'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import { until } from '../../test/support/until.ts'
import type { ReceivedRequest } from './handle-request.ts'
import { parseListenAddress } from './listen-address.ts'
import type { Answer } from './protocol/answer.ts'
import { listen, type RunningServer } from './server.ts'

const anyPort = parseListenAddress('127.0.0.1:0')
const fine: Answer = { status: 200, contentType: 'text/plain', body: 'a secret answer' }

interface Started {
  readonly server: RunningServer
  readonly requests: ReceivedRequest[]
  readonly bodies: Buffer[]
  readonly log: string[]
}

async function start(
  t: TestContext,
  handle: () => Promise<Answer> = () => Promise.resolve(fine),
): Promise<Started> {
  const [requests, bodies, log]: [ReceivedRequest[], Buffer[], string[]] = [[], [], []]
  const server = await listen(
    anyPort,
    {
      handle(request) {
        requests.push(request)
        bodies.push(Buffer.from(request.body))
        return handle()
      },
      pages: new Map([['/healthz', () => fine]]),
    },
    pino({ level: 'debug' }, { write: (line) => log.push(line) }),
  )
  t.after(() => server.close())
  return { server, requests, bodies, log }
}

function rawConnection(t: TestContext, server: RunningServer): Socket {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  return socket
}

const isZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0)

describe('the HTTP server', () => {
  test('ends within 5 seconds whatever connections are open', async (t) => {
    const { server } = await start(t)
    const half = rawConnection(t, server)
    half.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
    const sockets = [rawConnection(t, server), half, rawConnection(t, server)]
    sockets[2]?.write('POST / HT')
    const ends = sockets.map((socket) => once(socket, 'close'))
    await setTimeout(100)
    const start_ = performance.now()
    await server.close()
    await Promise.all(ends)
    assert.ok(performance.now() - start_ < 5000)
  })

  test('answers what is under way when it ends', async (t) => {
    const { server } = await start(t, () => setTimeout(300, fine))
    const answer = fetch(server.url, { method: 'POST', body: 'x' })
    await setTimeout(100)
    await server.close()
    assert.equal(await (await answer).text(), fine.body)
  })

  test('zeroes the body of a request, whole or in chunks, answered, refused or failed', async (t) => {
    const chunks: Buffer[] = []
    const { server, requests, bodies } = await start(t, () =>
      requests.length === 3 ? Promise.reject(new Error('failed')) : Promise.resolve(fine),
    )
    const concat = Buffer.concat.bind(Buffer)
    t.mock.method(Buffer, 'concat', (list: Buffer[]) => {
      const joined = concat(list)
      // The client in this process joins buffers too.
      if (joined.includes('secret') && !joined.includes('answer')) chunks.push(...list)
      return joined
    })
    await (await fetch(server.url, { method: 'POST', body: 'a secret' })).text()
    const large = 'secret'.repeat(100_000)
    await (await fetch(server.url, { method: 'POST', body: large })).text()
    await assert.rejects(fetch(server.url, { method: 'POST', body: 'a secret' }))
    assert.deepEqual(
      bodies.map((body) => body.toString()),
      ['a secret', large, 'a secret'],
    )
    assert.ok(requests.every(({ body }) => isZero(body)))
    assert.ok(chunks.length > 3 && chunks.every(isZero))
  })

  test('zeroes an answer when it is sent', async (t) => {
    const { server } = await start(t)
    const end = t.mock.method(ServerResponse.prototype, 'end')
    const response = await fetch(server.url, { method: 'POST' })
    assert.equal(await response.text(), fine.body)
    const sent: unknown = end.mock.calls[0]?.arguments[0]
    assert.ok(Buffer.isBuffer(sent) && sent.length === fine.body.length)
    await until('the answer is zeroed', () => isZero(sent))
  })

  test('refuses a request whose peer has no address', async (t) => {
    const { server, requests } = await start(t)
    // What `remoteAddress` is made of; it can't be replaced itself.
    const original: unknown = Reflect.get(Socket.prototype, '_getpeername')
    Reflect.set(Socket.prototype, '_getpeername', () => ({}))
    await assert.rejects(fetch(server.url, { method: 'POST' }))
    Reflect.set(Socket.prototype, '_getpeername', original)
    assert.equal(requests.length, 0)
  })

  test('hands on what is no request of any protocol, so that it is recorded', async (t) => {
    const { server, requests } = await start(t)
    const send = async (path: string, init: RequestInit): Promise<void> => {
      await (await fetch(server.url + path, init)).text()
    }
    await send('/other', { method: 'POST' })
    await send('/', { method: 'GET' })
    await send('/', { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) })
    await send('/healthz', {})
    assert.deepEqual(
      requests.map(({ refusal, sourceIp }) => [refusal?.exceptionName, sourceIp]),
      [
        ['UnknownOperationException', '127.0.0.1'],
        ['UnknownOperationException', '127.0.0.1'],
        ['RequestEntityTooLargeException', '127.0.0.1'],
      ],
    )
    const socket = rawConnection(t, server)
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\nContent-Length: 0\r\n\r\n')
    await once(socket, 'data')
    assert.equal(requests.length, 4)
  })

  test('survives errors of its socket, and logs them', async (t) => {
    const servers: Server[] = []
    const on = t.mock.method(
      Server.prototype,
      'on',
      function (this: Server, name: string, listener: () => void) {
        if (!servers.includes(this)) servers.push(this)
        return this.addListener(name, listener)
      },
    )
    const { server, log } = await start(t)
    on.mock.restore()
    for (const code of ['EMFILE', 'ENFILE']) {
      assert.equal(servers[0]?.emit('error', Object.assign(new Error('accept'), { code })), true)
      assert.match(log.join(''), new RegExp(`"level":50.*${code}.*cannot accept`))
    }
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
  })

  test('says why it cannot listen', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const address = other.address()
    assert.ok(typeof address === 'object' && address !== null)
    const log = pino({ level: 'silent' })
    await assert.rejects(
      listen(
        { ...anyPort, port: address.port },
        { handle: () => Promise.resolve(fine), pages: new Map() },
        log,
      ),
      {
        code: 'SR_KMS_LISTEN',
        message: `cannot listen on 127.0.0.1 port ${address.port} (EADDRINUSE): stop what listens there, or choose another port with --listen`,
      },
    )
  })
})
