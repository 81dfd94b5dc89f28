import type { Logger } from 'pino'
import { messageOf } from '../../errors.ts'
import { AwsException } from '../protocol/exceptions.ts'
import { issuerOf, type OidcProvider } from '../state/oidc-providers.ts'
import { IssuerFailure } from './https-json.ts'
import { fits, type VerificationKey } from './signature-algorithms.ts'
import { invalidToken, type UnverifiedToken } from './web-identity-token.ts'

/** Asks an issuer for its keys; see `fetchIssuerKeys`. */
export type FetchKeys = (provider: OidcProvider, signal: AbortSignal) => Promise<readonly VerificationKey[]>

/** What is known of one provider's keys. */
interface Held {
  keys: readonly VerificationKey[]
  /** When they came; when was last asked, whatever came. In milliseconds of a clock that never goes back. */
  fetchedAt: number
  askedAt: number
  failure: IssuerFailure | undefined
  fetching: Promise<void> | undefined
}

const seconds = 1000
/** So long the issuer isn't asked again for a key that it has. */
const freshFor = 600 * seconds
/** So long a key is taken when the issuer can't be asked. */
const usableFor = 3600 * seconds
/** So long it isn't asked again for a key that it did not have, or after a failure, whatever strangers send. */
const pause = 10 * seconds
const timeLimit = 5 * seconds
/** Requests that wait for issuers, all together. */
const mostWaiting = 200

/**
 * The keys of the registered issuers. Anybody may send a token that makes us ask, so the bounds are here: one question
 * at a time to each, rarely, and not for long.
 */
export class IssuerKeys {
  readonly #fetch: FetchKeys
  readonly #log: Logger
  readonly #now: () => number
  /** A provider that was changed is another object. */
  readonly #held = new WeakMap<OidcProvider, Held>()
  readonly #closing = new AbortController()
  #waiting = 0

  /** `now` is in milliseconds and never goes back. */
  constructor(fetch: FetchKeys, log: Logger, now: () => number = () => performance.now()) {
    this.#fetch = fetch
    this.#log = log
    this.#now = now
  }

  /**
   * The keys by which the token may be signed, one or more. Rejects with InvalidIdentityToken when the issuer has none,
   * IDPCommunicationError when it can't be asked, and Throttling when too many wait already.
   */
  async for(provider: OidcProvider, token: UnverifiedToken): Promise<readonly VerificationKey[]> {
    const held = this.#heldOf(provider)
    const known = keysFor(token, held.keys)
    const now = this.#now()
    if (known.length > 0 && now - held.fetchedAt < freshFor) return known
    const isDue = held.fetching !== undefined || now - held.askedAt >= pause
    const isThronged = isDue && this.#waiting >= mostWaiting
    if (isDue && !isThronged) await this.#refresh(provider, held)
    const found = keysFor(token, held.keys)
    if (found.length > 0 && this.#now() - held.fetchedAt < usableFor) return found
    throw isThronged ? new AwsException('ThrottlingException', 'Rate exceeded') : refusal(held.failure)
  }

  /** Ends the questions that are under way. */
  close(): void {
    this.#closing.abort()
  }

  #heldOf(provider: OidcProvider): Held {
    const long = Number.NEGATIVE_INFINITY
    const none: Held = { keys: [], fetchedAt: long, askedAt: long, failure: undefined, fetching: undefined }
    const held = this.#held.get(provider) ?? none
    this.#held.set(provider, held)
    return held
  }

  async #refresh(provider: OidcProvider, held: Held): Promise<void> {
    this.#waiting++
    try {
      held.fetching ??= this.#ask(provider, held)
      await held.fetching
    } finally {
      this.#waiting--
    }
  }

  /** Never rejects. */
  async #ask(provider: OidcProvider, held: Held): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeLimit)])
    try {
      held.keys = await this.#fetch(provider, signal)
      held.fetchedAt = this.#now()
      held.failure = undefined
    } catch (error) {
      held.failure =
        error instanceof IssuerFailure ? error : new IssuerFailure(messageOf(error), false, error)
      this.#log.warn(
        { provider: provider.arn, why: held.failure.message },
        `cannot get the keys of ${issuerOf(provider)}: nobody gets a role by a token that a new key signed`,
      )
    } finally {
      held.askedAt = this.#now()
      held.fetching = undefined
    }
  }
}

/** Of the algorithm's kind, and with the id that the token names; it may leave that out where there is one key alone. */
function keysFor({ algorithm, keyId }: UnverifiedToken, keys: readonly VerificationKey[]): VerificationKey[] {
  const fitting = keys.filter((key) => fits(key, algorithm))
  if (keyId !== undefined) return fitting.filter((key) => key.keyId === keyId).slice(0, 2)
  return fitting.length === 1 ? fitting : []
}

function refusal(failure: IssuerFailure | undefined): AwsException {
  const reason = failure?.message
  if (failure?.isLasting === false) {
    return new AwsException(
      'IDPCommunicationError',
      'The identity provider could not be reached to verify the token. Try again later.',
      reason === undefined ? {} : { reason },
    )
  }
  return invalidToken(
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity " +
      'documentation for requirements',
    reason,
  )
}
