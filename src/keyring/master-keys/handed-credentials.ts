import { type ErrorCode, StrongroomError } from '../../errors.ts'
import type { CredentialProvider } from './credentials.ts'

/** Temporary ones, as STS gives them out. */
export interface SessionCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: Date
}

/** The SDK asks again for each call: what is in use is decided here. */
const alwaysOver = new Date(0)

/**
 * The credentials of a keyring's master key that `strongroom with-mfa` handed over: in memory alone, used before all others as long as
 * they last. They are the keyring's, so that they outlive a master key that is replaced by another.
 */
export class HandedCredentials {
  readonly #isOnlySource: boolean
  #held: SessionCredentials | undefined
  #endedAt: Date | undefined

  /** Where they are the only source, no other place is searched for credentials. */
  constructor({ isOnlySource }: { readonly isOnlySource: boolean }) {
    this.#isOnlySource = isOnlySource
  }

  /** Takes the place of those before. Throws SR_KMS_CREDENTIALS_EXPIRED, and keeps them, where these are over. */
  take(credentials: SessionCredentials): void {
    if (!isOver(credentials)) {
      this.#held = credentials
      this.#endedAt = undefined
      return
    }
    const now = new Date().toISOString()
    throw new StrongroomError(
      'SR_KMS_CREDENTIALS_EXPIRED',
      `the credentials ended at ${credentials.expiration.toISOString()}, and by the agent's clock it is ${now}; check both clocks`,
    )
  }

  /** undefined: none were handed over, or they are over. */
  get current(): SessionCredentials | undefined {
    if (this.#held !== undefined && isOver(this.#held)) this.#drop(this.#held.expiration)
    return this.#held
  }

  /** The KMS says that they have expired: its clock is the one that counts. */
  expired(refused: SessionCredentials): void {
    if (this.#held === refused) this.#drop(new Date(Math.min(Date.now(), refused.expiration.getTime())))
  }

  /** What an SDK client takes: these first, then those of `otherwise`. */
  before(otherwise: CredentialProvider): CredentialProvider {
    return async (identity) => {
      const { current } = this
      if (current !== undefined) return { ...current, expiration: alwaysOver }
      if (this.#isOnlySource) throw this.#missing()
      return await otherwise(identity)
    }
  }

  /** An error of the KMS, with what these have to do with it. `used` were current when the call began. */
  explain(error: StrongroomError, used: SessionCredentials | undefined): StrongroomError {
    const { code } = error
    if (code !== 'SR_KMS_CREDENTIALS' && code !== 'SR_KMS_ACCESS_DENIED') return error
    const { current } = this
    if (current !== undefined) return used === undefined ? error : withWords(code, error, inUse(current))
    if (this.#ended === undefined) return error
    return withWords(
      code === 'SR_KMS_CREDENTIALS' ? 'SR_KMS_CREDENTIALS_EXPIRED' : code,
      error,
      `${this.#ended}; run it again`,
    )
  }

  #drop(endedAt: Date): void {
    this.#held = undefined
    this.#endedAt = endedAt
  }

  get #ended(): string | undefined {
    return (
      this.#endedAt &&
      `the credentials that \`strongroom with-mfa\` handed over expired at ${this.#endedAt.toISOString()}`
    )
  }

  #missing(): StrongroomError {
    if (this.#ended !== undefined)
      return new StrongroomError('SR_KMS_CREDENTIALS_EXPIRED', `${this.#ended}; run it again`)
    return new StrongroomError(
      'SR_KMS_CREDENTIALS_AWAITED',
      'no credentials have been handed over since the agent was started (credentials = with-mfa); run `strongroom with-mfa` on this host',
    )
  }
}

function isOver({ expiration }: SessionCredentials): boolean {
  return expiration.getTime() <= Date.now()
}

function inUse({ expiration }: SessionCredentials): string {
  return (
    `used were the credentials that \`strongroom with-mfa\` handed over, valid until ${expiration.toISOString()}; ` +
    'run it again if the key policy wants a fresh code (aws:MultiFactorAuthAge)'
  )
}

function withWords(code: ErrorCode, { message, cause }: StrongroomError, words: string): StrongroomError {
  return new StrongroomError(code, `${message}; ${words}`, { cause })
}
