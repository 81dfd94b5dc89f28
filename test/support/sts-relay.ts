import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** For tests: passes everything on to a service, and keeps what it answers: so the secrets that it gave out are known. */
export interface Relay {
  readonly url: string
  /** Each secret access key and session token that went through. */
  readonly secrets: () => string[]
}

export async function startRelay(t: TestContext, target: URL): Promise<Relay> {
  const sockets = new Set<Socket>()
  let answers = ''
  const relay = createServer((client) => {
    const server = connect(Number(target.port), target.hostname)
    server.on('data', (bytes) => (answers += bytes.toString('latin1')))
    client.pipe(server).pipe(client)
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
  })
  t.after(() => {
    relay.close()
    for (const socket of sockets) socket.destroy()
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const address = relay.address()
  if (address === null || typeof address === 'string') throw new Error('the relay has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    secrets: () =>
      [...answers.matchAll(/<(SecretAccessKey|SessionToken)>([^<]+)</g)].map(([, , value = '']) => value),
  }
}
