import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'

/**
 * How tokens may be signed: those algorithms that Amazon takes too. Never `none`, and never by a shared secret (HS256),
 * as which a public key could be misused.
 */
export interface SignatureAlgorithm {
  readonly name: string
  readonly hash: string
  /** Undefined: RSA with PKCS #1 v1.5. */
  readonly curve: string | undefined
}

/** One of the keys that an issuer publishes. */
export interface VerificationKey {
  readonly keyId: string | undefined
  /** The one algorithm that the key is for, where the issuer says so. */
  readonly algorithm: string | undefined
  readonly publicKey: KeyObject
}

/** By RFC 7518, 3.1; the curves by their names in RFC 7518, 6.2.1.1, and in OpenSSL. */
const algorithms: readonly SignatureAlgorithm[] = [
  { name: 'RS256', hash: 'sha256', curve: undefined },
  { name: 'RS384', hash: 'sha384', curve: undefined },
  { name: 'RS512', hash: 'sha512', curve: undefined },
  { name: 'ES256', hash: 'sha256', curve: 'prime256v1' },
  { name: 'ES384', hash: 'sha384', curve: 'secp384r1' },
  { name: 'ES512', hash: 'sha512', curve: 'secp521r1' },
]

/** Shorter ones are weak; longer ones make strangers' requests costly to refuse. */
const rsaBits = { least: 2048, most: 4096 }

export function signatureAlgorithm(name: string): SignatureAlgorithm | undefined {
  return algorithms.find((one) => one.name === name)
}

/** Whether the key is of the algorithm's kind: the header of a token must not choose what a key is used for. */
export function fits(
  { algorithm: only, publicKey }: VerificationKey,
  algorithm: SignatureAlgorithm,
): boolean {
  if (only !== undefined && only !== algorithm.name) return false
  return algorithm.curve === undefined
    ? publicKey.asymmetricKeyType === 'rsa'
    : publicKey.asymmetricKeyDetails?.namedCurve === algorithm.curve
}

export function isSignedBy(
  { publicKey }: VerificationKey,
  { algorithm, signed, signature }: { algorithm: SignatureAlgorithm; signed: Buffer; signature: Buffer },
): boolean {
  const key =
    algorithm.curve === undefined
      ? { key: publicKey, padding: constants.RSA_PKCS1_PADDING }
      : { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
  return verify(algorithm.hash, signed, key, signature)
}

const text = z.string().max(2048)
const about = { kid: z.string().max(1024).optional(), alg: z.string().optional(), use: z.string().optional() }
const publicJwk = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('RSA'), n: text, e: text, ...about }),
  z.object({ kty: z.literal('EC'), crv: text, x: text, y: text, ...about }),
])

/** A key of a JSON Web Key set (RFC 7517); undefined when it is none that can be used here. */
export function verificationKey(published: unknown): VerificationKey | undefined {
  const parsed = publicJwk.safeParse(published)
  if (!parsed.success) return undefined
  const { kid, alg, use, ...jwk } = parsed.data
  if (use !== undefined && use !== 'sig') return undefined
  const publicKey = imported(jwk)
  if (publicKey === undefined || !isSound(publicKey)) return undefined
  return { keyId: kid, algorithm: alg, publicKey }
}

function imported(key: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}

function isSound({ asymmetricKeyType, asymmetricKeyDetails: details = {} }: KeyObject): boolean {
  if (asymmetricKeyType === 'ec') return algorithms.some(({ curve }) => curve === details.namedCurve)
  const { modulusLength: bits = 0, publicExponent = 0n } = details
  // Large exponents make verifying as costly as signing.
  return bits >= rsaBits.least && bits <= rsaBits.most && publicExponent >= 3n && publicExponent < 2n ** 32n
}
