import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import { lookAtVaultListener } from './vault-listener.ts'

test('an answer, a hang-up, and nobody', async (t) => {
  const asked: (string | string[] | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers['x-vault-token'])
    if (request.url === '/v1/open/data/1') response.end('{"data":{"data":{"data":"00"}}}')
    else request.socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const look = (keyring: string) =>
    lookAtVaultListener({ address: { host: '127.0.0.1', port }, tls: undefined }, keyring)
  const url = (keyring: string) => `http://127.0.0.1:${port}/v1/${keyring}/data/1`
  assert.deepEqual(await look('open'), { seen: { url: url('open'), status: 200 } })
  assert.deepEqual(await look('ours'), { seen: { url: url('ours'), status: undefined } })
  assert.deepEqual(asked, [undefined, undefined])
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  assert.match(JSON.stringify(await look('gone')), /^\{"unseen":"nobody answers/)
})

test('one that never comes to the end of its answer does not hold us', async (t) => {
  const server = createTcpServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nx: ')
    const drip = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => {
      clearInterval(drip)
    })
    socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const listener = { address: { host: '127.0.0.1', port }, tls: undefined }
  assert.match(
    JSON.stringify(await lookAtVaultListener(listener, 'slow', 300)),
    /^\{"unseen":"nobody answers/,
  )
})
