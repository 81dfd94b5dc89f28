import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** A TCP port of 127.0.0.1, or the path of a unix socket. */
export type Endpoint = number | string

/** Hands every connection at one endpoint on to another. */
export async function startRelay(from: Endpoint, to: Endpoint): Promise<{ end: () => Promise<void> }> {
  const open = new Set<Socket>()
  const server: Server = createServer((incoming) => {
    const outgoing = createConnection(optionsFor(to))
    for (const socket of [incoming, outgoing]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    // When one side is cut off, pipeline cuts the other.
    pipeline(incoming, outgoing, () => undefined)
    pipeline(outgoing, incoming, () => undefined)
  })
  server.listen(optionsFor(from))
  await once(server, 'listening')
  return {
    end: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

function optionsFor(endpoint: Endpoint): { host: string; port: number } | { path: string } {
  return typeof endpoint === 'number' ? { host: '127.0.0.1', port: endpoint } : { path: endpoint }
}

// As a program of its own, in another network namespace: relay.ts PORT SOCKET
if (import.meta.main) {
  await startRelay(Number(process.argv[2]), process.argv[3] ?? '')
  process.stdout.write('listening\n')
}
