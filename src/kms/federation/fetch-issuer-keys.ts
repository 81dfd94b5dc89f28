import { z } from 'zod'
import { issuerOf, type OidcProvider } from '../state/oidc-providers.ts'
import { getJson, IssuerFailure, type IssuerSite } from './https-json.ts'
import { type VerificationKey, verificationKey } from './signature-algorithms.ts'

/** Amazon's bounds: 100 RSA keys and 100 EC keys. */
const mostKeys = 200

const configuration = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https$/ }).max(1024) })
const keySet = z.object({ keys: z.array(z.unknown()).max(mostKeys) })

/**
 * The keys that the issuer signs by, as it publishes them; those of kinds that are not used here are left out. Throws an
 * IssuerFailure. https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 */
export async function fetchIssuerKeys(
  provider: OidcProvider,
  signal: AbortSignal,
): Promise<readonly VerificationKey[]> {
  const issuer = issuerOf(provider)
  const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const site: IssuerSite = { host: url.host, thumbprints: provider.thumbprints, signal }
  const found = configuration.safeParse(await getJson(url, site))
  if (!found.success) throw new IssuerFailure(`${url.href} names no issuer with a jwks_uri over https`, true)
  if (found.data.issuer !== issuer) throw new IssuerFailure(`${url.href} is another issuer's`, true)
  const published = keySet.safeParse(await getJson(new URL(found.data.jwks_uri), site))
  if (!published.success)
    throw new IssuerFailure(`the jwks_uri of ${issuer} gives no set of at most ${mostKeys} keys`, true)
  return published.data.keys.flatMap((one) => verificationKey(one) ?? [])
}
