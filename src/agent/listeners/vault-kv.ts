import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { messageOf, StrongroomError, systemCode } from '../../errors.ts'
import type { VaultListenerConfig } from '../config.ts'
import { formatAddress } from '../listen-address.ts'
import { answerWithin } from './answer-within.ts'
import { closeServer } from './close-server.ts'
import type { VaultHandler } from './vault-handler.ts'

export interface VaultListener {
  readonly url: string
  close(): Promise<void>
}

/** How often half-sent requests are looked for that have been too slow (milliseconds). */
const checkEvery = 100

/** Listens for MariaDB's `hashicorp_key_management` plugin. Throws SR_LISTEN_FAILED. */
export async function listenForVaultClients(
  { address, tls }: VaultListenerConfig,
  handler: VaultHandler,
): Promise<VaultListener> {
  const options = {
    headersTimeout: answerWithin,
    requestTimeout: answerWithin,
    connectionsCheckingInterval: checkEvery,
    // What Node.js would answer by itself with a 400.
    requireHostHeader: false,
  }
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, handshakeTimeout: answerWithin, ...readTls(tls) })
  // Without the second, Node.js would answer an `Expect` that it doesn't know with a 417.
  for (const event of ['request', 'checkExpectation']) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      handler.handle(request, response)
    })
  }
  // Node.js would answer a malformed request with a 400, a slow one with a 408.
  server.on('clientError', (_error, socket) => {
    socket.destroy()
  })
  await listen(server, { address, tls })
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${formatAddress({ ...address, port })}`,
    close: () => closeServer(server),
  }
}

async function listen(server: Server, { address }: VaultListenerConfig): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new StrongroomError(
          'SR_LISTEN_FAILED',
          `cannot listen at ${formatAddress(address)} (${systemCode(cause) ?? messageOf(cause)}): change listen in [vault-listener], or end what uses that address`,
          { cause },
        ),
      )
    })
    server.listen(address.port, address.host, resolve)
  })
}

function readTls({ certificateFile, keyFile }: NonNullable<VaultListenerConfig['tls']>): {
  cert: Buffer
  key: Buffer
} {
  return { cert: readTlsFile(certificateFile), key: readTlsFile(keyFile) }
}

function readTlsFile(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new StrongroomError(
      'SR_LISTEN_FAILED',
      `cannot read ${file} for the Vault listener's TLS (${systemCode(cause) ?? messageOf(cause)})`,
      { cause },
    )
  }
}
