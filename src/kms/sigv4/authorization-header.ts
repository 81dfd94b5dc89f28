import { AwsException } from '../protocol/exceptions.ts'

/** `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, taken apart. */
export interface SignatureClaim {
  readonly accessKeyId: string
  readonly scope: CredentialScope
  /** In lower case, sorted, as the caller gave them. */
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits, as they came. */
  readonly signature: string
}

export interface CredentialScope {
  /** `20150830` */
  readonly date: string
  readonly region: string
  readonly service: string
}

const algorithm = 'AWS4-HMAC-SHA256'

/** Throws MissingAuthenticationTokenException without a header, IncompleteSignatureException when it is not whole. */
export function parseAuthorization(header: string | undefined): SignatureClaim {
  if (header === undefined) {
    throw new AwsException('MissingAuthenticationTokenException', 'Request is missing Authentication Token')
  }
  if (!header.startsWith(`${algorithm} `)) {
    throw incomplete(`the Authorization header's algorithm is not ${algorithm}`)
  }
  const fields = parseFields(header.slice(algorithm.length + 1))
  const signature = required(fields, 'Signature')
  if (!/^[0-9a-f]{64}$/.test(signature)) throw incomplete('Signature is not 64 hexadecimal digits')
  const signedHeaders = required(fields, 'SignedHeaders').split(';')
  // A long header that is named over and over would make a canonical request of many megabytes.
  if (new Set(signedHeaders).size < signedHeaders.length)
    throw incomplete('SignedHeaders names a header twice')
  return { ...parseCredential(required(fields, 'Credential')), signedHeaders, signature }
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

function required(fields: Map<string, string>, name: string): string {
  const value = fields.get(name)
  if (value === undefined || value === '') {
    throw incomplete(`Authorization header requires '${name}' parameter.`)
  }
  return value
}

function parseCredential(credential: string): Pick<SignatureClaim, 'accessKeyId' | 'scope'> {
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

export function incomplete(message: string): AwsException {
  return new AwsException('IncompleteSignatureException', message)
}
