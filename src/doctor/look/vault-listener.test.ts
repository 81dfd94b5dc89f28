import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
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
