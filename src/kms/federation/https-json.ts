import { hash, type X509Certificate } from 'node:crypto'
import type { LookupAddress } from 'node:dns'
import { lookup as lookUp } from 'node:dns/promises'
import { addAbortListener, once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'
import { connect, createSecureContext, type SecureContext } from 'node:tls'
import { systemCode } from '../../errors.ts'
import { shortened } from '../shortened.ts'
import { systemReason } from '../system-reason.ts'
import { trustedContext } from './trusted-context.ts'

/** Whom to ask, and how far to go. */
export interface IssuerSite {
  /** `HOST:PORT` of the issuer, which the administrator named. */
  readonly host: string
  /** SHA-1 of certificates, in lower case, that are trusted beside the authorities'. */
  readonly thumbprints: readonly string[]
  readonly signal: AbortSignal
}

/** Why there is no answer: whether it may help to ask again. */
export class IssuerFailure extends Error {
  readonly isLasting: boolean

  constructor(message: string, isLasting: boolean, cause?: unknown) {
    super(message, { cause })
    this.isLasting = isLasting
  }
}

const largestAnswer = 512 * 1024
const longestChain = 10

/**
 * What `GET` of the URL gives, as JSON: from a server that proves its name by a certificate which an authority or the
 * provider's thumbprints vouch for, of bounded size, no redirect followed. Throws an IssuerFailure, which says nothing of
 * what came.
 */
export async function getJson(url: URL, site: IssuerSite): Promise<unknown> {
  if (url.protocol !== 'https:' || url.username + url.password !== '') {
    throw new IssuerFailure(`${shown(url)} is no https URL without a password`, true)
  }
  const lookup = url.host === site.host ? undefined : fixed(await publicAddresses(url, site.signal))
  const answer = await getTrusting(url, { lookup, signal: site.signal }, site.thumbprints)
  try {
    return JSON.parse(answer)
  } catch {
    throw new IssuerFailure(`what ${shown(url)} gives is no JSON`, true)
  }
}

interface Connecting {
  readonly context: SecureContext
  readonly lookup: LookupFunction | undefined
  readonly signal: AbortSignal
}

/** With the authorities first; then with that certificate alone, of those shown, whose thumbprint the provider has. */
async function getTrusting(
  url: URL,
  how: Omit<Connecting, 'context'>,
  thumbprints: readonly string[],
): Promise<string> {
  try {
    return await get(url, { ...how, context: trustedContext() })
  } catch (error) {
    if (error instanceof IssuerFailure || !unvouched.has(systemCode(error) ?? '')) throw failure(url, error)
    const pinned = await pinnedCertificate(url, how, thumbprints)
    if (pinned === undefined) throw failure(url, error)
    const context = createSecureContext({ ca: pinned, allowPartialTrustChain: true, minVersion: 'TLSv1.2' })
    try {
      return await get(url, { ...how, context })
    } catch (again) {
      throw failure(url, again)
    }
  }
}

/** OpenSSL's words for certificates that nobody who is trusted vouches for. All else a thumbprint doesn't mend. */
const unvouched: ReadonlySet<string> = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** In PEM. The connection only shows the certificates: nothing is sent or believed before one of them is trusted. */
async function pinnedCertificate(
  url: URL,
  { lookup, signal }: Omit<Connecting, 'context'>,
  thumbprints: readonly string[],
): Promise<string | undefined> {
  if (thumbprints.length === 0) return undefined
  const host = hostOf(url)
  const socket = connect({
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(lookup === undefined ? {} : { lookup }),
  })
  try {
    await once(socket, 'secureConnect', { signal })
    return chainOf(socket.getPeerX509Certificate())
      .find(({ raw }) => thumbprints.includes(hash('sha1', raw)))
      ?.toString()
  } catch (error) {
    throw failure(url, error)
  } finally {
    socket.destroy()
  }
}

/** As the server shows it, its own certificate first. The last one may name itself as its issuer. */
function chainOf(first: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let next = first; next !== undefined && chain.length < longestChain; next = next.issuerCertificate) {
    chain.push(next)
  }
  return chain
}

async function get(url: URL, { context, lookup, signal }: Connecting): Promise<string> {
  const sent = request(url, {
    agent: new Agent({ secureContext: context, ...(lookup === undefined ? {} : { lookup }) }),
    headers: { accept: 'application/json' },
    signal,
  })
  // What breaks before the answer rejects below; what breaks after it ends the answer.
  sent.on('error', () => undefined)
  sent.end()
  const answer = await answerTo(sent)
  try {
    const { statusCode = 0 } = answer
    if (statusCode !== 200) {
      throw new IssuerFailure(
        `${shown(url)} answers with status ${statusCode}`,
        statusCode < 500 && statusCode !== 429,
      )
    }
    return await textOf(answer, url)
  } finally {
    sent.destroy()
  }
}

function answerTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
}

async function textOf(answer: IncomingMessage, url: URL): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) throw new Error('the answer is not read as bytes')
    chunks.push(chunk)
    size += chunk.length
    if (size > largestAnswer) {
      throw new IssuerFailure(`what ${shown(url)} gives is larger than ${largestAnswer} bytes`, true)
    }
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Where another host is than the one that an administrator named, which the issuer chose then: not this machine, nor
 * where clouds tell machines their secrets.
 */
async function publicAddresses(url: URL, signal: AbortSignal): Promise<LookupAddress[]> {
  const looking = lookUp(hostOf(url), { all: true })
  const addresses = await unlessAborted(looking, url, signal).catch((error: unknown) => {
    throw failure(url, error)
  })
  const hidden = addresses.find(({ address }) =>
    notForOthers.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'),
  )
  if (hidden === undefined) return addresses
  throw new IssuerFailure(`${shown(url)} is at ${hidden.address}, where only the issuer itself may be`, true)
}

/** The system's way to look names up can't be ended. */
async function unlessAborted<T>(work: Promise<T>, url: URL, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const listening = addAbortListener(signal, () => {
    reject(tookTooLong(url, signal.reason))
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    listening[Symbol.dispose]()
  }
}

const notForOthers = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['100.100.100.200', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  notForOthers.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  ['::', 127],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  notForOthers.addSubnet(network, bits, 'ipv6')

/** So that the name can't mean another address once it was looked at. */
function fixed(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family)
  }
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Without its query, which is not ours to tell. */
function shown({ origin, pathname }: URL): string {
  return shortened(origin + pathname, 256)
}

function tookTooLong(url: URL, cause: unknown): IssuerFailure {
  return new IssuerFailure(`${shown(url)} takes too long to answer`, false, cause)
}

function failure(url: URL, error: unknown): IssuerFailure {
  if (error instanceof IssuerFailure) return error
  const code = systemCode(error) ?? ''
  if (code === 'ABORT_ERR') return tookTooLong(url, error)
  const isAboutCertificate = unvouched.has(code) || /^CERT_|ALTNAME|HOSTNAME|_CA$|PURPOSE/.test(code)
  return isAboutCertificate
    ? new IssuerFailure(`the certificate of ${shown(url)} is not trusted (${code})`, true, error)
    : new IssuerFailure(`${shown(url)} can't be asked (${systemReason(error)})`, false, error)
}
