import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { StrongroomError } from '../errors.ts'
import { exchange, send, type Site } from './http-exchange.ts'
import type { ListenAddress } from './listen-address.ts'
import { systemReason } from './system-reason.ts'
import type { ServerIdentity } from './tls/server-identity.ts'

/** Of a request whose body was not read to its end. */
const tooLargeStatus = 413
/** How long requests under way have to come whole and be answered, in milliseconds, when the server ends. */
const grace = 2000
/** How often a certificate is looked at, in milliseconds. */
const renewalInterval = 60_000
const timeLimits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 }

export interface RunningServer {
  /** `http://127.0.0.1:8202`, or `https:` with TLS. */
  readonly url: string
  /** Accepts nothing more; resolves when the requests under way are answered, after the grace time at the latest. */
  close(): Promise<void>
}

/** HTTP and no more: whole requests go to the site, what it resolves to goes back. With an identity over TLS 1.2 or later. */
export async function listen(
  address: ListenAddress,
  site: Site & { readonly identity?: ServerIdentity | undefined },
  log: Logger,
): Promise<RunningServer> {
  // Node.js sends a Date header with every answer, by which SDKs correct a clock that is off.
  const { server, stopRenewal } = makeServer(site.identity, log)
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomUUID()
    exchange(request, requestId, site)
      .then((answer) => {
        // A client that is told so opens no further request on a connection that is about to end.
        if (!server.listening || answer.status === tooLargeStatus) response.shouldKeepAlive = false
        send(response, answer, requestId)
      })
      .catch((error: unknown) => {
        log.debug({ err: error, requestId }, 'a connection broke')
        response.destroy()
      })
  }
  server.on('request', onRequest)
  // Node.js would answer an `Expect` header that it does not know by itself, and there would be no record.
  server.on('checkExpectation', onRequest)
  await started(server, address)
  server.on('error', (error) => {
    log.error({ err: error }, 'the server cannot accept a connection')
  })
  return {
    url: `${site.identity === undefined ? 'http' : 'https'}://${address.urlHost}:${boundPort(server)}`,
    close() {
      stopRenewal()
      return stopped(server)
    },
  }
}

function makeServer(
  identity: ServerIdentity | undefined,
  log: Logger,
): { server: Server; stopRenewal: () => void } {
  if (identity === undefined) return { server: createServer(timeLimits), stopRenewal: () => undefined }
  const server = createTlsServer({ ...timeLimits, ...identity.current(), minVersion: 'TLSv1.2' })
  server.on('tlsClientError', (error) => {
    log.debug({ err: error }, 'a TLS connection was not made')
  })
  const renewal = setInterval(() => {
    identity
      .renew(new Date())
      .then((changed) => {
        if (!changed) return
        server.setSecureContext({ ...identity.current(), minVersion: 'TLSv1.2' })
        log.info('the server shows a new certificate')
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'cannot renew the certificate: the old one stays')
      })
  }, renewalInterval)
  renewal.unref()
  return {
    server,
    stopRenewal() {
      clearInterval(renewal)
    },
  }
}

function started(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => {
      reject(
        new StrongroomError(
          'SR_KMS_LISTEN',
          `cannot listen on ${host} port ${port} (${systemReason(error)}): ` +
            'stop what listens there, or choose another port with --listen',
          { cause: error },
        ),
      )
    }
    server.once('error', refused)
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', refused)
      resolve()
    })
  })
}

function stopped(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections()
    }, grace)
    // Closes the idle connections; those with a request under way close once it is answered.
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
  })
}

function boundPort(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
