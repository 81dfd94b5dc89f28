import type { Principal } from '../principal.ts'

/** What the verifier has to know of temporary credentials, which STS gives out (`ASIA…`). */
export interface SessionTokens {
  /** Undefined when there are none of that access key id, or no longer. Expired ones may still be found: see `expiresAt`. */
  readonly find: (accessKeyId: string) => TemporaryCredential | undefined
}

export interface TemporaryCredential {
  readonly principal: Principal
  readonly expiresAt: Date
  /** Whether this is the session token that was given out with the access key. Takes the same time for each wrong one. */
  readonly tokenMatches: (sessionToken: string) => boolean
  /** A copy of the secret access key's bytes, which the caller zeroes. */
  readonly secretAccessKey: () => Buffer
}
