import { AwsException } from '../protocol/exceptions.ts'
import { readAuthorization } from './authorization-header.ts'
import type { Headers, SignatureClaim } from './claim.ts'
import { isPresigned, readPresigned } from './presigned.ts'
import type { QueryPair } from './query-string.ts'

/**
 * Reads the signature of a request, which is in the Authorization header or in the query (a presigned request).
 * Throws MissingAuthenticationTokenException when it is in neither, InvalidSignatureException when it is in both, and
 * IncompleteSignatureException when it is not whole.
 */
export function readClaim(headers: Headers, query: readonly QueryPair[]): SignatureClaim {
  const authorization = headers.get('authorization')?.join(',')
  if (!isPresigned(query)) {
    if (authorization !== undefined) return readAuthorization(authorization, headers)
    throw new AwsException('MissingAuthenticationTokenException', 'Request is missing Authentication Token')
  }
  if (authorization === undefined) return readPresigned(query)
  throw new AwsException(
    'InvalidSignatureException',
    "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
  )
}
