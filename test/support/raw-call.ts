import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Credentials, TestService } from './kms-service.ts'
import { readRootAccessKey } from './kms-service.ts'
import { sign, type SignedRequest } from './signer.ts'

/** For tests: a request as no client makes it, and well signed. All that is left out is as a good one has it. */
export interface RawCall {
  readonly service?: 'kms' | 'iam' | 'sts'
  readonly region?: string
  readonly credentials?: Credentials & { readonly sessionToken?: string }
  readonly method?: string
  readonly path?: string
  readonly query?: Readonly<Record<string, string | string[]>>
  /** Of a KMS request: the operation. */
  readonly operation?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly presignedFor?: number
  /** Changes the request after it was signed. */
  readonly alter?: (request: SignedRequest) => SignedRequest
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export async function rawCall(service: TestService, call: RawCall): Promise<RawAnswer> {
  const url = new URL(service.current.url)
  const { operation, presignedFor } = call
  const json = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `TrentService.${operation ?? ''}`,
  }
  const unsigned = {
    method: call.method ?? 'POST',
    path: call.path ?? '/',
    query: call.query ?? {},
    headers: { host: url.host, ...(operation === undefined ? {} : json), ...call.headers },
    body: Buffer.from(call.body ?? ''),
  }
  const signing = {
    credentials: call.credentials ?? readRootAccessKey(service.directory),
    service: call.service ?? 'kms',
    region: call.region ?? service.current.region,
    at: new Date(),
  }
  const signed = await sign(unsigned, presignedFor === undefined ? signing : { ...signing, presignedFor })
  return await sendSigned(call.alter === undefined ? signed : call.alter(signed), { url })
}

/** Sends a request as it is, over TLS where the URL says so. */
export async function sendSigned(
  { method, target, headers, body }: SignedRequest,
  { url, agent }: { url: URL; agent?: HttpsAgent },
): Promise<RawAnswer> {
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest
  const request = start({
    ...(agent === undefined ? {} : { agent }),
    hostname: url.hostname,
    port: url.port,
    method,
    path: target,
    headers: { ...headers, 'content-length': body.length },
  })
  return await new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const { statusCode: status = 0, headers: answered, rawHeaders } = response
      text(response).then((received) => {
        resolve({ status, headers: answered, rawHeaders, body: received })
      }, reject)
    })
    request.end(body)
  })
}
