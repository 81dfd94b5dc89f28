import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { messageOf, StrongroomError, systemCode } from '../../errors.ts'
import { maxKeyId } from '../../keyring/data-key.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import type { Log } from '../../keyring/log.ts'
import { closeServer } from './close-server.ts'
import { type CannotListen, listenWithUmask, removeStaleSocket } from './unix-socket.ts'

export interface AdminListener {
  close(): Promise<void>
}

const operation = /^\/keyrings\/([A-Za-z0-9_-]+)\/keys(?:\/(\d{1,10})\/(create|rotate))?$/

/**
 * Lets the operator at the keyrings, as JSON over HTTP on a unix socket: `GET /keyrings/NAME/keys`,
 * `POST /keyrings/NAME/keys/ID/create`, `POST /keyrings/NAME/keys/ID/rotate`. Whoever may connect may do all of it,
 * so only the agent's own user may (mode 0600). Throws SR_LISTEN_FAILED.
 */
export async function listenForOperator(
  socket: string,
  keyrings: ReadonlyMap<string, Keyring>,
  log: Log,
): Promise<AdminListener> {
  const cannotListen = fault(socket)
  await removeStaleSocket(socket, cannotListen)
  const server = createServer((request, response) => {
    answer(request, keyrings).then(
      (body) => {
        send(response, 200, body)
      },
      (error: unknown) => {
        if (!(error instanceof StrongroomError)) log.error({ err: error }, 'cannot answer the operator')
        const code = error instanceof StrongroomError ? error.code : 'SR_ADMIN_FAILED'
        send(response, 400, { code, message: messageOf(error) })
      },
    )
  })
  await listenWithUmask(server, socket, 0o177).catch((cause: unknown) => {
    throw cannotListen(systemCode(cause) ?? messageOf(cause), cause)
  })
  return {
    close: () => closeServer(server),
  }
}

async function answer(
  { method, url }: IncomingMessage,
  keyrings: ReadonlyMap<string, Keyring>,
): Promise<object> {
  const [, name = '', id, verb] = operation.exec(url ?? '') ?? []
  const keyring = keyrings.get(name)
  if (keyring === undefined) {
    const known = [...keyrings.keys()].join(', ')
    throw new StrongroomError('SR_ADMIN_FAILED', `the agent has no keyring "${name}"; it has ${known}`)
  }
  if (method === 'GET' && id === undefined) return keyring.listKeys()
  const keyId = Number(id)
  if (method !== 'POST' || verb === undefined || keyId < 1 || keyId > maxKeyId) {
    throw new StrongroomError('SR_ADMIN_FAILED', `the agent does not know ${method ?? ''} ${url ?? ''}`)
  }
  const { version, bitLength } = await (verb === 'create' ? keyring.create(keyId) : keyring.rotate(keyId))
  return { keyId, version, bitLength }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function fault(socket: string): CannotListen {
  return (reason, cause) =>
    new StrongroomError(
      'SR_LISTEN_FAILED',
      `cannot listen at ${socket} (${reason}): change admin-socket in [agent], or see to what is there`,
      { cause },
    )
}
