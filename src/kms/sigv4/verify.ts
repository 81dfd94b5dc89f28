import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../principal.ts'
import { AwsException } from '../protocol/exceptions.ts'
import { canonicalRequestHash, headerValues, type WireRequest } from './canonical-request.ts'
import { basicDate, type Headers, type SignatureClaim, timeOf } from './claim.ts'
import { type QueryPair, queryPairs, splitTarget } from './query-string.ts'
import { readClaim } from './read-claim.ts'
import type { SessionTokens, TemporaryCredential } from './session-tokens.ts'
import type { SigningKeys } from './signing-keys.ts'

/** How far the caller's clock and ours may differ, in minutes. */
const toleranceMinutes = 5
/** No presigned request holds longer, whatever its X-Amz-Expires says: STS at Amazon does the same. */
const maxPresignedMinutes = 15

/** What a request must have been signed for. */
export interface ExpectedScope {
  readonly service: string
  readonly regions: readonly string[]
}

/** Who signed, and for which region. */
export interface Signer {
  readonly principal: Principal
  readonly region: string
}

export interface Verifier {
  /** Who a long-term access key speaks for. Undefined: unknown, or not active. */
  readonly principalOf: (accessKeyId: string) => Principal | undefined
  readonly sessions: SessionTokens
  readonly signingKeys: SigningKeys
}

/**
 * The principal that signed the request, by Signature Version 4 in the Authorization header or in the query; throws an
 * AwsException that tells what is wrong with the signature. `now` is the time that the request came in.
 */
export function verifySignature(
  request: WireRequest,
  expected: ExpectedScope,
  verifier: Verifier,
  now: Date,
): Signer {
  const headers = headerValues(request.rawHeaders)
  const query = queryPairs(splitTarget(request.target).query)
  const claim = readClaim(headers, query)
  requireSignedHeaders(claim, headers)
  checkScope(claim, expected)
  checkTime(claim, now)
  const principal = findPrincipal(claim, valuesOf('X-Amz-Security-Token', headers, query), verifier, now)
  const bodyHash = hash('sha256', request.body)
  checkBodyHash(valuesOf('X-Amz-Content-Sha256', headers, query), bodyHash)
  const { scope, date, signedHeaders } = claim
  const stringToSign =
    `AWS4-HMAC-SHA256\n${date}\n${scope.date}/${scope.region}/${scope.service}/aws4_request\n` +
    canonicalRequestHash(request, { headers, signedHeaders, bodyHash })
  const signingKey = verifier.signingKeys.get(claim.accessKeyId, scope)
  const signature = createHmac('sha256', signingKey).update(stringToSign).digest()
  if (!timingSafeEqual(signature, Buffer.from(claim.signature, 'hex'))) {
    throw invalid(
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  }
  return { principal, region: scope.region }
}

/**
 * The access key id that a request names, whether or not its signature is right; for the audit trail. Undefined when it
 * does not look like one: who mixes up the two halves of an access key sends the secret in its place.
 */
export function claimedAccessKeyId(request: WireRequest): string | undefined {
  try {
    const query = queryPairs(splitTarget(request.target).query)
    const { accessKeyId } = readClaim(headerValues(request.rawHeaders), query)
    return /^[A-Z0-9]{16,128}$/.test(accessKeyId) ? accessKeyId : undefined
  } catch {
    return undefined
  }
}

/** A header that means something to us must not be one that anybody on the way could have added. */
function requireSignedHeaders(claim: SignatureClaim, headers: Headers): void {
  const signed = new Set(claim.signedHeaders)
  if (!signed.has('host')) throw invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
  for (const name of headers.keys()) {
    if (name.startsWith('x-amz-') && !signed.has(name)) {
      throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`)
    }
  }
  for (const name of signed) {
    if (!headers.has(name)) throw invalid(`The signed header '${name}' is not in the request.`)
  }
}

function checkScope({ scope, date }: SignatureClaim, expected: ExpectedScope): void {
  const wrong: string[] = []
  if (!expected.regions.includes(scope.region)) {
    wrong.push(`Credential should be scoped to a valid region, not '${scope.region}'.`)
  }
  if (scope.service !== expected.service) {
    wrong.push(`Credential should be scoped to correct service: '${expected.service}'.`)
  }
  if (scope.date !== date.slice(0, 8)) {
    wrong.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ` +
        `'${scope.date}' != '${date.slice(0, 8)}', from '${date}'.`,
    )
  }
  if (wrong.length > 0) throw invalid(wrong.join(' '))
}

function checkTime({ date, validSeconds }: SignatureClaim, now: Date): void {
  const signedAt = timeOf(date)
  const age =
    validSeconds === undefined ? toleranceMinutes * 60 : Math.min(validSeconds, maxPresignedMinutes * 60)
  const earliest = now.getTime() - age * 1000
  const latest = now.getTime() + toleranceMinutes * 60_000
  const ageText = age % 60 === 0 ? `${age / 60} min.` : `${age} sec.`
  if (signedAt < earliest) {
    throw invalid(
      `Signature expired: ${date} is now earlier than ${basicDate(earliest)} ` +
        `(${basicDate(now.getTime())} - ${ageText})`,
    )
  }
  if (signedAt > latest) {
    throw invalid(
      `Signature not yet current: ${date} is still later than ${basicDate(latest)} ` +
        `(${basicDate(now.getTime())} + ${toleranceMinutes} min.)`,
    )
  }
}

/** Wherever it stands, it was signed: as a header (see `requireSignedHeaders`) or as part of the query. */
function valuesOf(name: string, headers: Headers, query: readonly QueryPair[]): string[] {
  const inQuery = query.filter((pair) => pair[0] === name).map(([, value]) => value)
  return [...(headers.get(name.toLowerCase()) ?? []), ...inQuery]
}

/** Temporary credentials come with their session token, long-term access keys without one. */
function findPrincipal(
  { accessKeyId }: SignatureClaim,
  tokens: readonly string[],
  verifier: Verifier,
  now: Date,
): Principal {
  const session = verifier.sessions.find(accessKeyId)
  if (session !== undefined) {
    requireToken(session, tokens)
    if (session.expiresAt > now && !isOfTheFuture(session.principal, now)) return session.principal
    verifier.signingKeys.forget(accessKeyId)
    throw new AwsException('ExpiredTokenException', 'The security token included in the request is expired')
  }
  const principal = verifier.principalOf(accessKeyId)
  if (principal === undefined) verifier.signingKeys.forget(accessKeyId)
  if (principal === undefined || tokens.length > 0) throw invalidToken()
  return principal
}

/** The clock was set back since the credentials were given out: what has expired, or an old MFA code, would look new. */
function isOfTheFuture({ session }: Principal, now: Date): boolean {
  return session !== undefined && session.issuedAt.getTime() > now.getTime() + toleranceMinutes * 60_000
}

function requireToken(session: TemporaryCredential, [token, ...more]: readonly string[]): void {
  if (token === undefined || more.length > 0 || !session.tokenMatches(token)) throw invalidToken()
}

/** Signing libraries may send the body's hash along; where they do, it has to be that. */
function checkBodyHash(claimed: readonly string[], bodyHash: string): void {
  if (claimed.some((one) => one !== bodyHash)) {
    throw invalid("'X-Amz-Content-Sha256' is not the SHA-256 of the body.")
  }
}

function invalid(message: string): AwsException {
  return new AwsException('InvalidSignatureException', message)
}

function invalidToken(): AwsException {
  return new AwsException(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
}
