import type { QueryPair } from '../sigv4/query-string.ts'
import { AwsException } from './exceptions.ts'

/** Far more than any operation takes: 50 tags are 100 pairs. */
const maxPairs = 10_000

/**
 * The pairs of an `application/x-www-form-urlencoded` body in their order. Takes linear time. Throws
 * SerializationException when there are too many, or when one is not well encoded.
 */
export function formPairs(body: Buffer): QueryPair[] {
  const pairs = decodeUtf8(body).split('&', maxPairs + 1)
  if (pairs.length > maxPairs) throw malformed(`the request has more than ${maxPairs} parameters`)
  return pairs
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
      return [decode(name), decode(value)]
    })
}

export function malformed(message: string): AwsException {
  return new AwsException('SerializationException', message)
}

function decodeUtf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw malformed('the request is not UTF-8')
  }
}

/** Neither the text nor the decoder's own message goes into the error: there may be a secret in the text. */
function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw malformed('a parameter of the request is not well encoded')
  }
}
