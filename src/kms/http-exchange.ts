import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { TlsDetails } from './audit/audit-record.ts'
import type { ReceivedRequest } from './handle-request.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'

/** What a server answers with. */
export interface Site {
  readonly handle: (request: ReceivedRequest) => Promise<Answer>
  /** What `GET` of a path gives to everybody, unsigned and unrecorded: nothing that is a secret. */
  readonly pages: ReadonlyMap<string, () => Answer | Promise<Answer>>
}

const maxBodyBytes = 1024 * 1024

/**
 * Reads a request and has it handled; throws when it does not come whole. Its body may hold a plaintext, and is zeroed
 * when it has been handled.
 */
export async function exchange(
  request: IncomingMessage,
  requestId: string,
  { handle, pages }: Site,
): Promise<Answer> {
  const page = request.method === 'GET' ? pages.get(request.url ?? '') : undefined
  if (page !== undefined) return await page()
  // Before the body: once the connection has ended there is no address any more.
  const sourceIp = request.socket.remoteAddress
  if (sourceIp === undefined) throw new Error('the connection ended before its request was read')
  const tls = tlsDetails(request.socket)
  const body = await readBody(request)
  try {
    const target = request.headers['x-amz-target']
    return await handle({
      requestId,
      body: body ?? Buffer.alloc(0),
      refusal: refusal(request, body),
      method: request.method ?? '',
      target: request.url ?? '',
      rawHeaders: request.rawHeaders,
      contentType: request.headers['content-type'],
      operationTarget: typeof target === 'string' ? target : undefined,
      userAgent: request.headers['user-agent'],
      sourceIp,
      receivedAt: new Date(),
      secureTransport: 'encrypted' in request.socket,
      tls,
    })
  } finally {
    body?.fill(0)
  }
}

function tlsDetails(socket: Socket): TlsDetails | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  return { tlsVersion: socket.getProtocol() ?? 'unknown', cipherSuite: socket.getCipher().standardName }
}

/** Sends the answer, and zeroes its bytes when they are sent or the connection has ended. */
export function send(response: ServerResponse, answer: Answer, requestId: string): void {
  const body = Buffer.from(answer.body, 'utf8')
  const zero = (): void => {
    body.fill(0)
  }
  if (response.destroyed) {
    zero()
    return
  }
  response.once('close', zero)
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': body.length,
    'cache-control': 'no-cache, no-store, must-revalidate, private',
    'x-amzn-RequestId': requestId,
  })
  response.end(body)
}

/** Undefined when it is larger than a request may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) throw new Error('the request is not read as bytes')
      chunks.push(chunk)
      size += chunk.length
      if (size > maxBodyBytes) return undefined
    }
    return Buffer.concat(chunks)
  } finally {
    for (const chunk of chunks) chunk.fill(0)
  }
}

/** Why it is no request of any protocol. */
function refusal(request: IncomingMessage, body: Buffer | undefined): AwsException | undefined {
  if (body === undefined) {
    return new AwsException('RequestEntityTooLargeException', `A request has at most ${maxBodyBytes} bytes.`)
  }
  const { method, url = '' } = request
  if (method === 'POST' && (url === '/' || url.startsWith('/?'))) return undefined
  if (method === 'GET' && url.startsWith('/?')) return undefined
  return new AwsException('UnknownOperationException', 'Requests to this service are POST / or GET /?….')
}
