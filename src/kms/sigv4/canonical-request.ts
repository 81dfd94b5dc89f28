import { hash } from 'node:crypto'
import { queryPairs, splitTarget } from './query-string.ts'

/** A request as it came over the wire. */
export interface WireRequest {
  readonly method: string
  /** Path and query, as in the request line. */
  readonly target: string
  /** Names and values by turns, as in `IncomingMessage.rawHeaders`. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** What is signed besides method and target. */
export interface Signed {
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly signedHeaders: readonly string[]
  /** The SHA-256 of the body, in hexadecimal. */
  readonly bodyHash: string
}

/**
 * The values of each header, names in lower case. One header that came several times has several values.
 * `IncomingMessage.headers` won't do: it drops the repetitions of some headers, and it was signed with them.
 */
export function headerValues(rawHeaders: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [value])
    else values.push(value)
  }
  return headers
}

/**
 * The SHA-256 of the canonical request, in hexadecimal: what the string to sign ends with.
 * Node.js reads header bytes as Latin-1, so that is how they are turned back into the bytes that were signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequestHash(request: WireRequest, signed: Signed): string {
  return hash('sha256', Buffer.from(canonicalRequest(request, signed), 'latin1'))
}

function canonicalRequest(request: WireRequest, { headers, signedHeaders, bodyHash }: Signed): string {
  const { path, query } = splitTarget(request.target)
  let lines = `${request.method}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n`
  for (const name of signedHeaders) lines += `${name}:${canonicalValue(headers.get(name) ?? [])}\n`
  return `${lines}\n${signedHeaders.join(';')}\n${bodyHash}`
}

/** Dots and double slashes resolved, then each segment encoded (again, if it came encoded): all services but S3. */
function canonicalPath(path: string): string {
  if (path === '/' || path === '') return '/'
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(percentEncode(segment))
  }
  const slash = segments.length > 0 && /\/\.{0,2}$/.test(path) ? '/' : ''
  return `/${segments.join('/')}${slash}`
}

/** Sorted by encoded name, then by encoded value. The signature of a presigned request is in its query, and not signed. */
function canonicalQuery(query: string): string {
  if (query === '') return ''
  return queryPairs(query)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([a, av], [b, bv]) => (a < b ? -1 : a > b ? 1 : av < bv ? -1 : av > bv ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/**
 * Outer spaces gone, inner runs of spaces one space, several values joined by a comma. Runs first: looking for the
 * outer spaces of a value with long runs inside would take quadratic time.
 */
function canonicalValue(values: readonly string[]): string {
  return values.map((value) => value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '')).join(',')
}

/** RFC 3986, section 2.3: all but the unreserved characters. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
