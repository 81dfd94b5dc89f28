import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { StrongroomError } from '../errors.ts'
import type { ListenAddress } from './listen-address.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'
import { jsonError } from './protocol/json.ts'
import type { ReceivedRequest } from './handle-request.ts'

const maxBodyBytes = 1024 * 1024
const tooLargeStatus = 413

export interface RunningServer {
  /** `http://127.0.0.1:8202` */
  readonly url: string
  /** Accepts nothing more; resolves when the requests under way are answered. */
  close(): Promise<void>
}

/** HTTP and no more: whole requests go to `handle`, what it resolves to goes back. `POST /`, and `GET /healthz`. */
export async function listen(
  address: ListenAddress,
  handle: (request: ReceivedRequest) => Promise<Answer>,
  log: Logger,
): Promise<RunningServer> {
  // Node.js sends a Date header with every answer, by which SDKs correct a clock that is off.
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 })
  server.on('request', (request, response) => {
    const requestId = randomUUID()
    answerTo(request, requestId, handle)
      .then((answer) => {
        // A client that is told so opens no further request on a connection that is about to end.
        if (!server.listening || answer.status === tooLargeStatus) response.shouldKeepAlive = false
        send(response, answer, requestId)
      })
      .catch((error: unknown) => {
        log.debug({ err: error, requestId }, 'a connection broke')
        response.destroy()
      })
  })
  await started(server, address)
  return {
    url: `http://${address.urlHost}:${boundPort(server)}`,
    close: () => stopped(server),
  }
}

async function answerTo(
  request: IncomingMessage,
  requestId: string,
  handle: (request: ReceivedRequest) => Promise<Answer>,
): Promise<Answer> {
  if (request.method === 'GET' && request.url === '/healthz') {
    return { status: 200, contentType: 'text/plain', body: 'ok\n' }
  }
  const body = await readBody(request)
  if (body === undefined) return jsonError(tooLarge())
  if (request.method !== 'POST' || request.url !== '/') return jsonError(notHere())
  const target = request.headers['x-amz-target']
  const answer = await handle({
    requestId,
    body,
    method: request.method ?? '',
    target: request.url ?? '/',
    rawHeaders: request.rawHeaders,
    operationTarget: typeof target === 'string' ? target : undefined,
    userAgent: request.headers['user-agent'],
    sourceIp: request.socket.remoteAddress ?? '',
    receivedAt: new Date(),
  })
  body.fill(0)
  return answer
}

/** Undefined when it is larger than a request may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new Error('the request is not read as bytes')
    size += chunk.length
    if (size > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  const [first] = chunks
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
}

function send(response: ServerResponse, answer: Answer, requestId: string): void {
  const body = Buffer.from(answer.body, 'utf8')
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': body.length,
    'x-amzn-RequestId': requestId,
  })
  response.end(body)
}

function notHere(): AwsException {
  return new AwsException('UnknownOperationException', 'Requests to this service are POST /.')
}

function tooLarge(): AwsException {
  return new AwsException('RequestEntityTooLargeException', `A request has at most ${maxBodyBytes} bytes.`)
}

function started(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new StrongroomError('SR_KMS_LISTEN', `cannot listen on ${host} port ${port}`, { cause: error }))
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
}

function stopped(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Closes the idle connections; those with a request under way close once it is answered.
    server.close(() => {
      resolve()
    })
  })
}

function boundPort(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
