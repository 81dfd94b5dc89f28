import { NodeHttpHandler } from '@smithy/node-http-handler'
import { StrongroomError } from './errors.ts'
import { isLoopback } from './loopback.ts'

/** Ends a sentence that begins with the endpoint or its option. */
export const mustBeConfidential =
  'must be an https URL, or an http URL at a loopback address: keys in the clear come over it'

/** Whether it is a URL, and nobody on the way can read what is answered there. */
export function isConfidential(url: string): boolean {
  const parsed = URL.parse(url)
  if (parsed === null) return false
  const { protocol, hostname } = parsed
  const host = hostname.replace(/^\[|\]$/g, '')
  return protocol === 'https:' || (protocol === 'http:' && (host === 'localhost' || isLoopback(host)))
}

/**
 * For the clients of AWS's SDK: nothing is asked where others could read the answer. It looks at each request, for endpoints come from
 * AWS_ENDPOINT_URL and AWS's shared files too. Rejects with SR_PLAIN_HTTP.
 */
export class ConfidentialHttpHandler extends NodeHttpHandler {
  override async handle(
    ...[request, options]: Parameters<NodeHttpHandler['handle']>
  ): ReturnType<NodeHttpHandler['handle']> {
    const endpoint = `${request.protocol}//${request.hostname}`
    if (!isConfidential(endpoint)) {
      throw new StrongroomError('SR_PLAIN_HTTP', `the endpoint ${endpoint} ${mustBeConfidential}`)
    }
    return await super.handle(request, options)
  }
}
