import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../principal.ts'
import { AwsException } from '../protocol/exceptions.ts'
import { incomplete, parseAuthorization, type SignatureClaim } from './authorization-header.ts'
import { canonicalRequestHash, headerValues, type WireRequest } from './canonical-request.ts'
import type { SigningKeys } from './signing-keys.ts'

/** How far the caller's clock and ours may differ, in minutes. */
const toleranceMinutes = 5

/** What a request must have been signed for. */
export interface ExpectedScope {
  readonly service: string
  readonly regions: readonly string[]
}

export interface Verifier {
  /** Undefined: unknown, or not active. */
  readonly principalOf: (accessKeyId: string) => Principal | undefined
  readonly signingKeys: SigningKeys
}

/**
 * The principal that signed the request, by Signature Version 4 in the Authorization header; throws an AwsException
 * that tells what is wrong with the signature. `now` is the time that the request came in.
 */
export function verifySignature(
  request: WireRequest,
  expected: ExpectedScope,
  verifier: Verifier,
  now: Date,
): Principal {
  const headers = headerValues(request.rawHeaders)
  const claim = parseAuthorization(headers.get('authorization')?.join(','))
  const date = signedDate(headers)
  requireSignedHeaders(claim, headers)
  checkScope(claim, expected, date)
  checkTime(date, now)
  const principal = verifier.principalOf(claim.accessKeyId)
  // Temporary credentials come with a session token, and this service gives none out yet.
  if (principal === undefined || headers.has('x-amz-security-token')) {
    throw new AwsException(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    )
  }
  const { scope } = claim
  const stringToSign =
    `AWS4-HMAC-SHA256\n${date}\n${scope.date}/${scope.region}/${scope.service}/aws4_request\n` +
    canonicalRequestHash(request, headers, claim.signedHeaders)
  const signature = createHmac('sha256', verifier.signingKeys.get(claim.accessKeyId, scope)).update(
    stringToSign,
  )
  if (!timingSafeEqual(signature.digest(), Buffer.from(claim.signature, 'hex'))) {
    throw invalid(
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  }
  return principal
}

/** The access key id that a request names, whether or not its signature is right; for the audit trail. */
export function claimedAccessKeyId(request: WireRequest): string | undefined {
  try {
    return parseAuthorization(headerValues(request.rawHeaders).get('authorization')?.join(',')).accessKeyId
  } catch {
    return undefined
  }
}

/** `20150830T123600Z`, from X-Amz-Date, which every SDK sends. */
function signedDate(headers: ReadonlyMap<string, readonly string[]>): string {
  const date = headers.get('x-amz-date')?.join(',')
  if (date === undefined)
    throw incomplete("Authorization header requires existence of a 'X-Amz-Date' header.")
  if (!/^\d{8}T\d{6}Z$/.test(date)) throw incomplete("'X-Amz-Date' must be of the form YYYYMMDDTHHMMSSZ.")
  return date
}

/** A header that means something to us must not be one that anybody on the way could have added. */
function requireSignedHeaders(claim: SignatureClaim, headers: ReadonlyMap<string, readonly string[]>): void {
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

function checkScope({ scope }: SignatureClaim, expected: ExpectedScope, date: string): void {
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

function checkTime(date: string, now: Date): void {
  const tolerance = toleranceMinutes * 60_000
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(signedAt)) throw incomplete("'X-Amz-Date' must be a date and time.")
  const earliest = now.getTime() - tolerance
  const latest = now.getTime() + tolerance
  if (signedAt < earliest) {
    throw invalid(
      `Signature expired: ${date} is now earlier than ${compact(earliest)} ` +
        `(${compact(now.getTime())} - ${toleranceMinutes} min.)`,
    )
  }
  if (signedAt > latest) {
    throw invalid(
      `Signature not yet current: ${date} is still later than ${compact(latest)} ` +
        `(${compact(now.getTime())} + ${toleranceMinutes} min.)`,
    )
  }
}

function compact(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function invalid(message: string): AwsException {
  return new AwsException('InvalidSignatureException', message)
}
