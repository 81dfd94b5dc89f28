// Its library registers what it parses by decorators, and wants this first.
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { generateKeyPairSync, hash, type JsonWebKey, KeyObject, sign, webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { TestContext } from 'node:test'

/** For tests: an OpenID Connect provider on loopback, over HTTPS with a certificate of an authority of its own. */
export interface Issuer {
  /** What its tokens have as `iss`: `https://localhost:PORT/realms/test`. */
  readonly url: string
  /** The URL without `https://`: what its condition keys begin with. */
  readonly name: string
  readonly arn: string
  /** The authority's certificate in PEM, which the server shows below its own, and its SHA-1. */
  readonly authority: string
  readonly thumbprint: string
  /** SHA-1 of the server's own certificate. */
  readonly serverThumbprint: string
  /** The paths that were asked for. */
  readonly requests: string[]
  /** What is answered in place of the right thing, by path. */
  readonly answers: Map<string, Answer>
  /** The keys that it publishes; it signs by the first. */
  keys: IssuerKey[]
  readonly token: (claims?: Claims, options?: TokenOptions) => string
  readonly stop: () => Promise<void>
}

export interface IssuerKey {
  readonly keyId: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly published: JsonWebKey
}

export type Claims = Readonly<Record<string, unknown>>
export interface TokenOptions {
  readonly key?: IssuerKey
  /** Takes the place of what the header would say. */
  readonly header?: Readonly<Record<string, unknown>>
}
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never answers. */
  readonly silent?: boolean
}
export type Algorithm = 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512'

export const audience = 'sts.amazonaws.com'
export const subject = 'system:serviceaccount:databases:mariadb'

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export async function startIssuer(
  t: TestContext,
  { path = '/realms/test', host = 'localhost' }: { path?: string; host?: string } = {},
): Promise<Issuer> {
  const { authority, certificate, privateKey } = await certificates(host)
  const requests: string[] = []
  const answers = new Map<string, Answer>()
  const server = createServer({
    key: KeyObject.from(privateKey).export({ format: 'pem', type: 'pkcs8' }),
    cert: `${certificate.toString('pem')}\n${authority.toString('pem')}\n`,
  })
  server.on('request', (request, response) => {
    const asked = request.url ?? ''
    requests.push(asked)
    const answer = answers.get(asked) ?? rightAnswer(asked, issuer)
    if (answer.silent === true) return
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the issuer has no port')
  const name = `${host}:${address.port}${path}`
  const issuer: Issuer = {
    url: `https://${name}`,
    name,
    arn: `arn:aws:iam::111122223333:oidc-provider/${name}`,
    authority: `${authority.toString('pem')}\n`,
    thumbprint: hash('sha1', Buffer.from(authority.rawData)),
    serverThumbprint: hash('sha1', Buffer.from(certificate.rawData)),
    requests,
    answers,
    keys: [newIssuerKey('key-1', 'RS256')],
    token: (claims, options) => token(issuer, claims, options),
    async stop() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  t.after(() => issuer.stop())
  return issuer
}

export function newIssuerKey(keyId: string, algorithm: Algorithm, bits = 2048): IssuerKey {
  const curves = { '256': 'P-256', '384': 'P-384', '512': 'P-521' }
  const { privateKey, publicKey } = algorithm.startsWith('RS')
    ? generateKeyPairSync('rsa', { modulusLength: bits })
    : generateKeyPairSync('ec', { namedCurve: curves[sizeOf(algorithm)] })
  const jwk = publicKey.export({ format: 'jwk' })
  return { keyId, algorithm, privateKey, published: { ...jwk, kid: keyId, alg: algorithm, use: 'sig' } }
}

/** What a good token of the issuer claims; undefined takes a claim away. */
function token(
  issuer: Issuer,
  claims: Claims = {},
  { key = issuer.keys[0], header = {} }: TokenOptions = {},
): string {
  if (key === undefined) throw new Error('the issuer has no key')
  const now = Math.floor(Date.now() / 1000)
  const good = { iss: issuer.url, sub: subject, aud: audience, iat: now, exp: now + 600 }
  const head = { alg: key.algorithm, typ: 'JWT', kid: key.keyId, ...header }
  const signed = [head, { ...good, ...claims }].map(part).join('.')
  const options = key.algorithm.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}
  const signature = sign(`sha${sizeOf(key.algorithm)}`, Buffer.from(signed), {
    key: key.privateKey,
    ...options,
  })
  return `${signed}.${signature.toString('base64url')}`
}

export function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function sizeOf(algorithm: Algorithm): '256' | '384' | '512' {
  if (algorithm.endsWith('256')) return '256'
  return algorithm.endsWith('384') ? '384' : '512'
}

function rightAnswer(asked: string, { url, keys }: Issuer): Answer {
  const base = new URL(url).pathname.replace(/\/$/, '')
  if (asked === `${base}/.well-known/openid-configuration`) {
    return { body: JSON.stringify({ issuer: url, jwks_uri: `${new URL(url).origin}${base}/keys` }) }
  }
  if (asked !== `${base}/keys`) return { status: 404, body: '{}' }
  return { body: JSON.stringify({ keys: keys.map(({ published }) => published) }) }
}

async function certificates(
  host: string,
): Promise<{ authority: X509Certificate; certificate: X509Certificate; privateKey: webcrypto.CryptoKey }> {
  const dates = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) }
  const authorityKeys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...dates,
    name: 'CN=Issuer Test Authority',
    serialNumber: '01',
    keys: authorityKeys,
    signingAlgorithm: ecdsa,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    ...dates,
    subject: 'CN=issuer',
    issuer: authority.subject,
    serialNumber: '02',
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: ecdsa,
    extensions: [
      new SubjectAlternativeNameExtension([{ type: /^[\d.]+$/.test(host) ? 'ip' : 'dns', value: host }]),
    ],
  })
  return { authority, certificate, privateKey: keys.privateKey }
}
