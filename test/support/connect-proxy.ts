import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/**
 * For tests: a proxy (`HTTPS_PROXY`) that has every host at the address of one server. So clients that can't be told of
 * another endpoint reach our service by Amazon's names; the TLS goes through as it is. Resolves to the proxy's URL.
 */
export async function startConnectProxy(t: TestContext, target: URL): Promise<string> {
  const sockets = new Set<Socket>()
  const proxy = createServer()
  proxy.on('connection', (socket) => {
    sockets.add(socket)
  })
  proxy.on('connect', (_request, client, head) => {
    const server = connect(Number(target.port), target.hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      server.write(head)
      server.pipe(client).pipe(server)
    })
    sockets.add(server)
    server.on('error', () => client.destroy())
    client.on('error', () => server.destroy())
  })
  t.after(() => {
    proxy.close()
    for (const socket of sockets) socket.destroy()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return `http://127.0.0.1:${address.port}`
}
