import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { STSClient } from '@aws-sdk/client-sts'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { type Credentials, readRootAccessKey } from './kms-service.ts'
import { sendSigned } from './raw-call.ts'
import { sign, type SignedRequest } from './signer.ts'

/** For tests: a service that speaks TLS with a certificate of its own authority, and clients of it. */
export interface TlsSite {
  readonly url: string
  readonly root: Credentials
  readonly kms: (credentials?: Credentials, region?: string) => KMSClient
  readonly iam: (credentials?: Credentials) => IAMClient
  readonly sts: (credentials?: Credentials) => STSClient
  /** A request as no client makes it; what came back, headers and all. */
  readonly raw: (call: TlsCall) => Promise<string>
}

/** All that is left out is as a good request of the root user has it. */
export interface TlsCall {
  readonly method?: string
  readonly path?: string
  readonly query?: Readonly<Record<string, string>>
  /** Of KMS. */
  readonly operation?: string
  readonly service?: 'kms' | 'iam' | 'sts'
  readonly credentials?: Credentials
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly presigned?: boolean
  readonly unsigned?: boolean
  /** Changes the request after it was signed. */
  readonly alter?: (request: SignedRequest) => SignedRequest
}

export function tlsSite(url: string, directory: string): TlsSite {
  const root = readRootAccessKey(directory)
  const agent = new Agent({ ca: readFileSync(join(directory, 'ca.pem')) })
  const config = (credentials = root, region = 'us-east-1') => ({
    endpoint: url,
    credentials,
    region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpsAgent: agent }),
  })
  return {
    url,
    root,
    kms: (credentials, region) => new KMSClient(config(credentials, region)),
    iam: (credentials) => new IAMClient(config(credentials)),
    sts: (credentials) => new STSClient(config(credentials)),
    raw: (call) => raw(call, { url: new URL(url), root, agent }),
  }
}

async function raw(call: TlsCall, site: { url: URL; root: Credentials; agent: Agent }): Promise<string> {
  const { operation } = call
  const unsigned = {
    method: call.method ?? 'POST',
    path: call.path ?? '/',
    query: call.query ?? {},
    headers: { host: site.url.host, ...kindOf(operation), ...call.headers },
    body: Buffer.from(call.body ?? ''),
  }
  const signed = await sign(unsigned, {
    credentials: call.credentials ?? site.root,
    service: call.service ?? 'kms',
    region: 'us-east-1',
    at: new Date(),
    ...(call.presigned === true ? { presignedFor: 60 } : {}),
  })
  const sent = call.unsigned === true ? { ...signed, headers: unsigned.headers } : signed
  const answer = await sendSigned(call.alter === undefined ? sent : call.alter(sent), site)
  return `${answer.status} ${answer.rawHeaders.join(' ')}\n${answer.body}`
}

function kindOf(operation: string | undefined): Record<string, string> {
  return operation === undefined
    ? { 'content-type': 'application/x-www-form-urlencoded' }
    : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` }
}
