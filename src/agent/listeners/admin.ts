import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { messageOf, StrongroomError, systemCode } from '../../errors.ts'
import { type DataKey, maxKeyId } from '../../keyring/data-key.ts'
import type { Log } from '../../keyring/log.ts'
import { examineFor } from '../examination.ts'
import { credentialsState, type OperatedKeyring, takeCredentials } from './admin-credentials.ts'
import { closeServer } from './close-server.ts'
import { type CannotListen, listenWithUmask, removeStaleSocket } from './unix-socket.ts'

export interface AdminListener {
  close(): Promise<void>
}

const operation =
  /^\/keyrings\/([A-Za-z0-9_-]+)\/(keys|credentials|examine)(?:\/(\d{1,10})\/(create|rotate))?$/

/**
 * Lets the operator at the keyrings, as JSON over HTTP on a unix socket: `GET /keyrings/NAME/keys`,
 * `POST /keyrings/NAME/keys/ID/create`, `POST /keyrings/NAME/keys/ID/rotate`, `GET` and `POST /keyrings/NAME/credentials`,
 * `POST /keyrings/NAME/examine`. Whoever may connect may do all of it, so only the agent's own user may (mode 0600). Throws SR_LISTEN_FAILED.
 */
export async function listenForOperator(
  socket: string,
  keyrings: ReadonlyMap<string, OperatedKeyring>,
  log: Log,
): Promise<AdminListener> {
  const cannotListen = fault(socket)
  await removeStaleSocket(socket, cannotListen)
  const server = createServer((request, response) => {
    answer(request, keyrings, log).then(
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
  request: IncomingMessage,
  keyrings: ReadonlyMap<string, OperatedKeyring>,
  log: Log,
): Promise<object> {
  const { method = '', url = '' } = request
  const [, name = '', what = '', id, verb] = operation.exec(url) ?? []
  const keyring = keyrings.get(name)
  if (keyring === undefined) {
    const known = [...keyrings.keys()].join(', ')
    throw new StrongroomError('SR_ADMIN_FAILED', `the agent has no keyring "${name}"; it has ${known}`)
  }
  switch (`${method} ${what} ${verb ?? ''}`) {
    case 'GET keys ':
      return keyring.keys.listKeys()
    case 'POST keys create':
      return await made(id, (keyId) => keyring.keys.create(keyId))
    case 'POST keys rotate':
      return await made(id, (keyId) => keyring.keys.rotate(keyId))
    case 'GET credentials ':
      return credentialsState(keyring)
    case 'POST credentials ':
      return await takeCredentials(request, keyring, log)
    case 'POST examine ':
      return await examineFor(keyring.keys)
    default:
      throw unknown(`${method} ${url}`)
  }
}

async function made(id: string | undefined, make: (keyId: number) => Promise<DataKey>): Promise<object> {
  const keyId = Number(id)
  if (keyId < 1 || keyId > maxKeyId) throw unknown(`key id ${id ?? ''}`)
  const { version, bitLength } = await make(keyId)
  return { keyId, version, bitLength }
}

function unknown(what: string): StrongroomError {
  return new StrongroomError('SR_ADMIN_FAILED', `the agent does not know ${what}`)
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
