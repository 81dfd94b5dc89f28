import { AwsException } from '../protocol/exceptions.ts'
import type { WebIdentity } from './web-identity.ts'
import type { OidcProvider, OidcProviders } from '../state/oidc-providers.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { isSignedBy } from './signature-algorithms.ts'
import { invalidToken, readToken, type TokenClaims } from './web-identity-token.ts'

/** What a token proved. */
export interface VerifiedIdentity {
  readonly identity: WebIdentity
  readonly claims: TokenClaims
}

/** How far the issuer's clock may be ahead of ours, in seconds. That it is behind only shortens its tokens' lives. */
const skew = 60

/**
 * Whom the token is about, once all is proved: that a registered issuer signed it, for one of the provider's clients, for
 * now. Throws InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError and Throttling.
 * https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export async function verifyWebIdentity(
  text: string,
  { oidcProviders, issuerKeys }: { oidcProviders: OidcProviders; issuerKeys: IssuerKeys },
  now: Date,
): Promise<VerifiedIdentity> {
  const token = readToken(text)
  const { claims } = token
  const provider = registered(claims.iss, oidcProviders)
  requireTime(claims, now)
  const keys = await issuerKeys.for(provider, token)
  if (!keys.some((key) => isSignedBy(key, token))) {
    throw invalidToken('The signature of the ID Token is not valid.')
  }
  // It may have been deleted or changed while its issuer was asked.
  const identity = identityOf(claims, registered(claims.iss, oidcProviders))
  return { identity, claims }
}

function registered(issuer: string, oidcProviders: OidcProviders): OidcProvider {
  const provider = oidcProviders.withIssuer(issuer)
  if (provider !== undefined) return provider
  // As Amazon says it; the issuer is public, and whoever mistyped it has to see it.
  const shown = /^[!-~]{1,255}$/.test(issuer) ? issuer : 'the issuer of the token'
  throw invalidToken(`No OpenIDConnect provider found in your account for ${shown}`)
}

function requireTime({ exp, iat, nbf }: TokenClaims, now: Date): void {
  const seconds = now.getTime() / 1000
  if (exp <= seconds) {
    throw new AwsException(
      'ExpiredWebIdentityToken',
      `Token expired: current date/time ${Math.floor(seconds)} must be before the expiration date/time ${Math.floor(exp)}`,
    )
  }
  if (Math.max(iat, nbf ?? iat) > seconds + skew) {
    throw invalidToken('The ID Token is not valid yet: the clock of the identity provider is ahead.')
  }
}

/** Where `azp` says to which client it was given, that counts; several audiences without it are nobody's token. */
function identityOf({ aud, azp, sub, amr = [] }: TokenClaims, provider: OidcProvider): WebIdentity {
  const [only, ...more] = aud
  const audience = azp ?? (more.length === 0 ? only : undefined)
  if (audience === undefined || !provider.clientIds.includes(audience))
    throw invalidToken('Incorrect token audience')
  return {
    providerArn: provider.arn,
    providerName: provider.name,
    subject: sub,
    audience,
    otherAudiences: azp === undefined ? [] : aud,
    methods: amr,
  }
}
