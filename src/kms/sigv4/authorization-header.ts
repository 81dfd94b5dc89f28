import {
  algorithm,
  basicDate,
  type Headers,
  incomplete,
  parseCredential,
  parseDate,
  parseSignature,
  parseSignedHeaders,
  type SignatureClaim,
} from './claim.ts'

const required = ['Credential', 'Signature', 'SignedHeaders'] as const

/**
 * `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, and the date that goes with it.
 * Throws IncompleteSignatureException when it is not whole.
 */
export function readAuthorization(header: string, headers: Headers): SignatureClaim {
  if (!header.startsWith(`${algorithm} `)) {
    throw incomplete(`the Authorization header's algorithm is not ${algorithm}`)
  }
  const fields = parseFields(header.slice(algorithm.length + 1))
  const date = headers.get('x-amz-date') ?? headers.get('date')
  const missing: string[] = required
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`)
  if (date === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  }
  if (missing.length > 0 || date === undefined) throw incomplete(missing.join(' '))
  return {
    ...parseCredential(fields.get('Credential') ?? ''),
    signedHeaders: parseSignedHeaders(fields.get('SignedHeaders') ?? ''),
    signature: parseSignature(fields.get('Signature') ?? ''),
    date: parseHeaderDate(date.join(',')),
    validSeconds: undefined,
  }
}

function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const field of text.split(',')) {
    const equals = field.indexOf('=')
    const name = field.slice(0, Math.max(equals, 0)).trim()
    if (name === '' || fields.has(name))
      throw incomplete("a field of the Authorization header isn't name=value")
    fields.set(name, field.slice(equals + 1).trim())
  }
  return fields
}

const httpDate = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/

/** A Date header may have HTTP's form, `Sun, 30 Aug 2015 12:36:00 GMT`; the basic form of it is what was signed. */
function parseHeaderDate(text: string): string {
  if (!httpDate.test(text)) return parseDate(text)
  const time = Date.parse(text)
  return Number.isNaN(time) ? parseDate(text) : basicDate(time)
}
