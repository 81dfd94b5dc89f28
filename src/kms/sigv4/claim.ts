import { AwsException } from '../protocol/exceptions.ts'

/** What a signature says of itself, not yet verified. */
export interface SignatureClaim {
  readonly accessKeyId: string
  readonly scope: CredentialScope
  /** In lower case, sorted, as the caller gave them. */
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits, as they came. */
  readonly signature: string
  /** When it was signed, as the string to sign has it: `20150830T123600Z`. */
  readonly date: string
  /** For how many seconds it was presigned; undefined when it was not, or when it does not say. */
  readonly validSeconds: number | undefined
}

export interface CredentialScope {
  /** `20150830` */
  readonly date: string
  readonly region: string
  readonly service: string
}

export type Headers = ReadonlyMap<string, readonly string[]>

/*
 * What both forms of a signature have: in the Authorization header and in the query.
 */

export const algorithm = 'AWS4-HMAC-SHA256'

/** `AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/kms/aws4_request` */
export function parseCredential(credential: string): Pick<SignatureClaim, 'accessKeyId' | 'scope'> {
  const [accessKeyId, date, region, service, terminator, ...more] = credential.split('/')
  if (
    accessKeyId === undefined ||
    !/^\w{4,128}$/.test(accessKeyId) ||
    date === undefined ||
    !/^\d{8}$/.test(date) ||
    region === undefined ||
    service === undefined ||
    terminator !== 'aws4_request' ||
    more.length > 0
  ) {
    throw incomplete('Credential must be ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request')
  }
  return { accessKeyId, scope: { date, region, service } }
}

/** `host;x-amz-date` */
export function parseSignedHeaders(text: string): string[] {
  const signedHeaders = text.split(';')
  // A long header that is named over and over would make a canonical request of many megabytes.
  if (new Set(signedHeaders).size < signedHeaders.length)
    throw incomplete('SignedHeaders names a header twice')
  return signedHeaders
}

export function parseSignature(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw incomplete('Signature is not 64 hexadecimal digits')
  return text
}

/** Requires ISO 8601's basic form, `20150830T123600Z`, of a time that there is. */
export function parseDate(text: string): string {
  if (!Number.isNaN(timeOf(text))) return text
  throw incomplete("Date must be in ISO-8601 'basic format', YYYYMMDDTHHMMSSZ.")
}

/** In milliseconds since 1970; NaN when it is no such date. */
export function timeOf(date: string): number {
  const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
  const time = form.test(date) ? Date.parse(date.replace(form, '$1-$2-$3T$4:$5:$6Z')) : Number.NaN
  // Date.parse takes the 30th of February for the 2nd of March.
  return Number.isNaN(time) || basicDate(time) !== date ? Number.NaN : time
}

/** `20150830T123600Z` */
export function basicDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

export function incomplete(message: string): AwsException {
  return new AwsException('IncompleteSignatureException', message)
}
