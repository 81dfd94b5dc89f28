import { SignatureV4 } from '@smithy/signature-v4'
import { createHash, createHmac, type Hash } from 'node:crypto'
import type { Credentials } from './kms-service.ts'

/** For tests: requests of any kind, signed by the AWS SDK's signer, which shares no code with our verifier. */
export interface UnsignedRequest {
  readonly method: string
  /** As it is sent. */
  readonly path: string
  /** Decoded. */
  readonly query: Readonly<Record<string, string | string[]>>
  /** With `host`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface SignedRequest extends UnsignedRequest {
  /** Path and query, encoded. */
  readonly target: string
}

export interface Signing {
  readonly credentials: Credentials & { readonly sessionToken?: string }
  readonly service: string
  readonly region: string
  readonly at: Date
  /** In seconds. Signs in the query when it is given, in the Authorization header otherwise. */
  readonly presignedFor?: number
}

export async function sign(request: UnsignedRequest, signing: Signing): Promise<SignedRequest> {
  const { credentials, service, region, at } = signing
  const signer = new SignatureV4({ credentials, service, region, sha256: Sha256 })
  const unsigned = {
    ...request,
    headers: { ...request.headers },
    query: { ...request.query },
    protocol: 'http:',
    hostname: '',
  }
  const options = { signingDate: at, unhoistableHeaders: new Set(Object.keys(request.headers)) }
  const signed =
    signing.presignedFor === undefined
      ? await signer.sign(unsigned, options)
      : await signer.presign(unsigned, { ...options, expiresIn: signing.presignedFor })
  const query = Object.fromEntries(
    Object.entries(signed.query ?? {}).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  )
  return { ...request, headers: signed.headers, query, target: targetOf(request.path, query) }
}

export function targetOf(path: string, query: UnsignedRequest['query']): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value) => `${encode(name)}=${encode(value)}`),
  )
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

/** Names and values by turns, as Node.js shows what came: UTF-8's bytes as Latin-1. */
export function rawHeadersOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')])
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

class Sha256 {
  readonly #hash: Hash | ReturnType<typeof createHmac>

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    throw new Error('a hash is used once here')
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
