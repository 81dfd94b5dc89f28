import { AwsException } from '../../protocol/exceptions.ts'
import type { OidcProvider } from '../../state/oidc-providers.ts'
import type { Call } from '../call.ts'
import { exceeded, quotas } from './quotas.ts'
import type { Sought } from './sought.ts'

export function seekOidcProvider(arn: string, { state }: Call): Sought<OidcProvider> {
  const entity = state.oidcProviders.withArn(arn)
  return {
    entity,
    arn,
    tags: entity?.tags,
    missing: `OpenIDConnect Provider not found for arn ${arn}`,
  }
}

const urlForm = /^https:\/\/[a-z0-9.-]+(:\d{1,5})?(\/[\w.~!&()+,;=@%-]*)*$/

/**
 * The provider's name: its URL as it is, without `https://`, since it has to be what its tokens have as `iss` to the
 * letter. Amazon takes no port; sites that run their own provider may need one. Throws InvalidInput.
 */
export function oidcProviderName(url: string): string {
  // What a client would ask for otherwise than it is written (dots in a path, port 443) is no issuer's name for itself.
  const isCanonical = URL.canParse(url) && [url, `${url}/`].includes(new URL(url).href)
  if (isCanonical && urlForm.test(url)) return url.slice('https://'.length)
  throw new AwsException(
    'InvalidInput',
    'Invalid Open ID Connect Provider URL: it is the https URL that the tokens of the provider have as "iss".',
  )
}

/** Without repetitions. Throws LimitExceeded. */
export function checkedClientIds(given: readonly string[]): string[] {
  const distinct = [...new Set(given)]
  if (distinct.length > quotas.clientIdsPerOidcProvider) {
    throw exceeded('ClientIdsPerOpenIdConnectProvider', quotas.clientIdsPerOidcProvider)
  }
  return distinct
}

/** In lower case, without repetitions. Throws InvalidInput for what is no SHA-1, and LimitExceeded. */
export function checkedThumbprints(given: readonly string[]): string[] {
  const distinct = [...new Set(given.map((one) => one.toLowerCase()))]
  if (distinct.length > quotas.thumbprintsPerOidcProvider) {
    throw exceeded('ThumbprintsPerOpenIdConnectProvider', quotas.thumbprintsPerOidcProvider)
  }
  if (distinct.every((one) => /^[0-9a-f]{40}$/.test(one))) return distinct
  throw new AwsException(
    'InvalidInput',
    'A thumbprint is the SHA-1 of a certificate, in 40 hexadecimal digits.',
  )
}
