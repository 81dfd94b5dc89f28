import { once } from 'node:events'
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { messageOf, StrongroomError, systemCode } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'
import type { AdminFailure, AdminHandler, AdminHandlers } from './handlers.ts'
import { type SocketAddress, socketAddress, socketPath } from './socket-path.ts'

export interface AdminSocket {
  /** Answers what was asked, then stops. */
  close(): Promise<void>
}

const largestBody = 1_048_576

/**
 * Listens at `admin.sock` in the data directory, mode 0600: who may open it may read the root key as well. The caller
 * holds the directory's lock, so a socket that lies there is one that a service left behind when it was killed.
 */
export async function openAdminSocket(
  directory: string,
  handlers: AdminHandlers,
  log: Logger,
): Promise<AdminSocket> {
  const path = socketPath(directory)
  /** Connections on which no whole request has come yet: a client that hangs must not keep the service from closing. */
  const waiting = new Set<Socket>()
  const server = createServer((request, response) => {
    request.once('end', () => waiting.delete(request.socket))
    void answer(request, response, handlers, log)
  })
  server.on('connection', (socket) => {
    waiting.add(socket)
    socket.once('close', () => waiting.delete(socket))
  })
  const address = await listen(server, directory, path)
  return {
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of waiting) socket.destroy()
      await closed
      address.release()
    },
  }
}

async function listen(server: Server, directory: string, path: string): Promise<SocketAddress> {
  removeLeftOver(path)
  let address: SocketAddress | undefined
  try {
    address = socketAddress(directory)
    const listening = once(server, 'listening')
    // The directory is 0700, so that nobody comes between this and the chmod.
    server.listen(address.path)
    await listening
    chmodSync(path, 0o600)
    return address
  } catch (error) {
    server.close()
    address?.release()
    throw cannotListen(path, systemReason(error), error)
  }
}

function removeLeftOver(path: string): void {
  try {
    if (!lstatSync(path).isSocket()) {
      throw cannotListen(path, 'something else than a socket is there', undefined)
    }
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function cannotListen(path: string, reason: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_KMS_ADMIN',
    `cannot listen at the admin socket ${path} (${reason}): the service's user must be able to make it`,
    { cause },
  )
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: AdminHandlers,
  log: Logger,
): Promise<void> {
  try {
    const handler = handlerOf(request, handlers)
    if (handler === undefined) {
      send(
        response,
        404,
        failure(new StrongroomError('SR_KMS_ADMIN', 'the service does not know the request')),
      )
      return
    }
    send(response, 200, (await handler(await readJson(request))) ?? {})
  } catch (error) {
    if (!(error instanceof StrongroomError)) log.error({ err: error }, 'a request at the admin socket failed')
    send(response, 500, failure(error))
  }
}

function handlerOf(request: IncomingMessage, handlers: AdminHandlers): AdminHandler | undefined {
  return request.method === 'POST' ? new Map(Object.entries(handlers)).get(request.url ?? '') : undefined
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue
    length += part.length
    if (length > largestBody) throw new StrongroomError('SR_KMS_ADMIN', 'the request is larger than 1 MiB')
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new StrongroomError('SR_KMS_ADMIN', 'the request is no JSON', { cause: error })
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  // One request a connection: closing the socket need not wait for idle clients.
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(body))
}

function failure(error: unknown): AdminFailure {
  if (error instanceof StrongroomError) return { code: error.code, message: error.message }
  return { code: 'SR_KMS_ADMIN', message: `the service failed: ${messageOf(error)}` }
}
