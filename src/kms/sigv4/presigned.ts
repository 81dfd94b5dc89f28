import {
  algorithm,
  incomplete,
  parseCredential,
  parseDate,
  parseSignature,
  parseSignedHeaders,
  type SignatureClaim,
} from './claim.ts'
import type { QueryPair } from './query-string.ts'

const required = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'X-Amz-Date',
]
const optional = ['X-Amz-Expires', 'X-Amz-Security-Token', 'X-Amz-Content-Sha256']
const known: ReadonlySet<string> = new Set([...required, ...optional])
/** Seven days: as long as a signing key is good for. */
const maxSeconds = 604_800

/** Whether the query has a signature in it, whole or not. */
export function isPresigned(query: readonly QueryPair[]): boolean {
  return query.some(([name]) => name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature')
}

/** Whether a parameter belongs to the signature, and is no member of the request. */
export function isOfSignature(name: string): boolean {
  return known.has(name)
}

/**
 * Reads the signature of a presigned request from its query; throws IncompleteSignatureException when it is not whole.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 */
export function readPresigned(query: readonly QueryPair[]): SignatureClaim {
  const fields = new Map<string, string>()
  for (const [name, value] of query) {
    if (!known.has(name)) continue
    if (fields.has(name)) throw incomplete(`AWS query-string parameters must include '${name}' once.`)
    fields.set(name, value)
  }
  const missing = required.filter((name) => !fields.get(name))
  if (missing.length > 0) {
    const texts = missing.map((name) => `AWS query-string parameters must include '${name}'.`)
    throw incomplete(`${texts.join(' ')} Re-examine the query-string parameters.`)
  }
  const field = (name: string): string => fields.get(name) ?? ''
  if (field('X-Amz-Algorithm') !== algorithm) {
    throw incomplete(`the algorithm in the query is not ${algorithm}`)
  }
  return {
    ...parseCredential(field('X-Amz-Credential')),
    signedHeaders: parseSignedHeaders(field('X-Amz-SignedHeaders')),
    signature: parseSignature(field('X-Amz-Signature')),
    date: parseDate(field('X-Amz-Date')),
    validSeconds: parseExpires(fields.get('X-Amz-Expires')),
  }
}

function parseExpires(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (seconds < 1 || seconds > maxSeconds) {
    throw incomplete(`X-Amz-Expires must be a number of seconds from 1 to ${maxSeconds}.`)
  }
  return seconds
}
