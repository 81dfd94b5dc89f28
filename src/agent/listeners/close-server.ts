import type { Server } from 'node:http'

/** Ends a server with every connection that it has. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
