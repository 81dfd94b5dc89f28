import { fromIni, fromNodeProviderChain } from '@aws-sdk/credential-providers'
import { StrongroomError, messageOf } from '../../errors.ts'
import { withinTime } from './time-limit.ts'

export interface CredentialOptions {
  /** An AWS shared credentials file; undefined: the places where AWS's tools look. */
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
  /** Milliseconds. */
  readonly requestTimeout: number
}

export type CredentialProvider = ReturnType<typeof fromNodeProviderChain>
export type FoundCredentials = Awaited<ReturnType<CredentialProvider>>
type Identity = Parameters<CredentialProvider>[0]

/** An instance without a metadata service must not hold up a start (milliseconds; the SDK's default is a second). */
const metadataTimeout = 1000

/** What has less than this left is renewed, as the SDK does (milliseconds). */
const renewalTime = 5 * 60_000
/** Between two look-ups (milliseconds). */
const rest = 1000
/** The SDK keeps for ever what says nothing about its end, and asks for each call where the end is over. */
const alwaysOver = new Date(0)

/** More that have not ended, such as programs that hang, are not begun. */
const lookUpsAtMost = 8

/**
 * The credentials of a master key, looked up again whenever they may have been renewed, without a restart (rule K4): a second
 * later where they don't say when they end (a file, a process), else when they have less than five minutes left. A named file
 * is the only place then; without one, AWS's standard chain: environment, shared files, process, web identity, container and
 * instance metadata.
 */
export class Credentials {
  readonly #options: CredentialOptions
  readonly #lookUp: CredentialProvider
  readonly #now: () => number
  #held: FoundCredentials | undefined
  #lookedUpAt = -Infinity
  #lookUps = 0

  /** `now` is in milliseconds and never goes back, as the time of day does where a clock is set right. */
  constructor(
    options: CredentialOptions,
    lookUp: CredentialProvider = lookUpFor(options),
    now: () => number = () => performance.now(),
  ) {
    this.#options = options
    this.#lookUp = lookUp
    this.#now = now
  }

  /** What an SDK client takes. It asks for each call, because whether something is renewed is decided here. */
  readonly provide: CredentialProvider = async (identity) => ({
    ...(await this.#current(identity)),
    expiration: alwaysOver,
  })

  /** The KMS refused them: what they say about their end isn't to be relied on. */
  forget(): void {
    this.#held = undefined
  }

  async #current(identity: Identity): Promise<FoundCredentials> {
    const isRecent = this.#now() - this.#lookedUpAt < rest
    if (this.#held !== undefined && (isRecent || timeLeft(this.#held) > renewalTime)) return this.#held
    try {
      // The SDK lets all its calls wait for one look-up; one that hangs must not hang them for good.
      this.#held = await withinTime(this.#limit, () => this.#counted(identity))
      return this.#held
    } catch (error) {
      // The source of what lasts a while longer may be back before it ends.
      if (timeLeft(this.#held) > 0 && this.#held !== undefined) return this.#held
      this.#held = undefined
      throw this.#explained(error)
    } finally {
      this.#lookedUpAt = this.#now()
    }
  }

  /** A look-up that nobody waits for any longer goes on. */
  async #counted(identity: Identity): Promise<FoundCredentials> {
    if (this.#lookUps >= lookUpsAtMost) throw new Error(`${this.#lookUps} look-ups hang there already`)
    this.#lookUps += 1
    try {
      return await this.#lookUp(identity)
    } finally {
      this.#lookUps -= 1
    }
  }

  /** Over before the call is that waits for them, so that the message says what it waited for. */
  get #limit(): number {
    return Math.round(this.#options.requestTimeout * 0.9)
  }

  #explained(error: unknown): StrongroomError {
    const { credentialsFile, profile } = this.#options
    const section = profile === undefined ? '' : `, profile ${profile}`
    const place = `${credentialsFile ?? "the places where AWS's tools look"}${section}`
    const isLate = error instanceof Error && error.name === 'TimeoutError'
    const why = isLate ? `no answer within ${this.#limit} ms` : `${nameOf(error)}${messageOf(error)}`
    return new StrongroomError(
      'SR_KMS_CREDENTIALS',
      `no AWS credentials were to be had from ${place} (${why}); it is tried again`,
      { cause: error },
    )
  }
}

/** Of credentials that say when they end; milliseconds. */
function timeLeft(credentials: FoundCredentials | undefined): number {
  return (credentials?.expiration?.getTime() ?? 0) - Date.now()
}

function lookUpFor({ credentialsFile, profile }: CredentialOptions): CredentialProvider {
  const init = { ...(profile !== undefined && { profile }), ignoreCache: true }
  if (credentialsFile !== undefined)
    return fromIni({ ...init, filepath: credentialsFile, configFilepath: credentialsFile })
  // A chain keeps for ever what it found without an end, so each look-up has one of its own.
  return (identity) => fromNodeProviderChain({ ...init, timeout: metadataTimeout, maxRetries: 0 })(identity)
}

function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ` : ''
}
