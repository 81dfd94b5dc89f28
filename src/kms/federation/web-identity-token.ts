import { z } from 'zod'
import { AwsException } from '../protocol/exceptions.ts'
import { type SignatureAlgorithm, signatureAlgorithm } from './signature-algorithms.ts'

/** A token of an OpenID Connect provider, taken apart. Nothing of it is proved yet. */
export interface UnverifiedToken {
  readonly algorithm: SignatureAlgorithm
  /** The key that the header names. */
  readonly keyId: string | undefined
  /** What is signed. */
  readonly signed: Buffer
  readonly signature: Buffer
  readonly claims: TokenClaims
}

export type TokenClaims = z.infer<typeof claims>

const header = z.object({
  alg: z.string().max(16),
  kid: z.string().max(1024).optional(),
  // RFC 7515, 4.1.11: what these name has to be understood, and nothing of it is.
  crit: z.never().optional(),
})

const name = z.string().min(1).max(255)
/** RFC 7519, 2: seconds since 1970, perhaps with a fraction. */
const numericDate = z.number().min(0).max(253_402_300_799)
/** Some providers write a list of one as its element. */
const names = z.union([name.transform((one) => [one]), z.array(name).max(100)])

/** https://openid.net/specs/openid-connect-core-1_0.html#IDToken, and Amazon's own claims */
const claims = z.object({
  iss: z.string().min(1).max(1024),
  sub: name,
  aud: names.refine((audiences) => audiences.length > 0),
  azp: name.optional(),
  exp: numericDate,
  iat: numericDate,
  nbf: numericDate.optional(),
  amr: names.optional(),
  'https://aws.amazon.com/source_identity': z.string().optional(),
  'https://aws.amazon.com/tags': z
    .object({
      principal_tags: z.record(z.string(), z.union([z.string(), z.array(z.string()).length(1)])).default({}),
      transitive_tag_keys: z.array(z.string()).default([]),
    })
    .optional(),
})

/** RFC 7515, 3.1: header, payload and signature. Throws InvalidIdentityToken, in which nothing of the token stands. */
export function readToken(text: string): UnverifiedToken {
  const parts = text.split('.', 4)
  const [headerPart, claimsPart, signaturePart] = parts
  if (
    headerPart === undefined ||
    claimsPart === undefined ||
    signaturePart === undefined ||
    parts.length > 3
  ) {
    throw invalidToken(
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    )
  }
  const head = header.safeParse(json(headerPart))
  const payload = claims.safeParse(json(claimsPart))
  const algorithm = signatureAlgorithm(head.data?.alg ?? '')
  if (!head.success || algorithm === undefined) {
    throw invalidToken('The ID Token is not signed by RS256, RS384, RS512, ES256, ES384 or ES512.')
  }
  if (!payload.success) {
    const claim = String(payload.error.issues[0]?.path[0] ?? '')
    throw invalidToken(
      claim === '' ? 'The ID Token has no claims.' : `Missing a required claim, or a wrong one: ${claim}`,
    )
  }
  return {
    algorithm,
    keyId: head.data.kid,
    signed: Buffer.from(`${headerPart}.${claimsPart}`, 'latin1'),
    signature: bytes(signaturePart),
    claims: payload.data,
  }
}

export function invalidToken(message: string, reason?: string): AwsException {
  return new AwsException('InvalidIdentityToken', message, reason === undefined ? {} : { reason })
}

/** Undefined for what is no JSON. */
function json(part: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes(part)))
  } catch (error) {
    if (error instanceof AwsException) throw error
    return undefined
  }
}

/** Base64url without padding, and no second way to write the same (RFC 7515, 2). */
function bytes(part: string): Buffer {
  const decoded = Buffer.from(part, 'base64url')
  if (decoded.toString('base64url') === part) return decoded
  throw invalidToken('The ID Token provided is not a valid JWT: a part of it is not base64url.')
}
