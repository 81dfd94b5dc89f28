import { AwsAccess, credentialsOfTheMoment } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'
import type { HandedCredentials } from './credentials.ts'
import { Pacer } from './pacer.ts'
import type { Place } from './target.ts'

/** Milliseconds. AWS lets five calls a second through; ours are a little further apart, for they don't arrive evenly. */
const between = 220

/**
 * The KMS as windows use it. A call is one attempt, because after the last one it must be known which of them may have arrived;
 * calls that AWS bounds to five a second take turns.
 * https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 */
export class Reach {
  readonly #handed: AwsAccess
  /** Where the handed credentials have ended, those that somebody has put since where AWS's tools look. */
  readonly #looked: AwsAccess
  #current: AwsAccess
  readonly enabling = new Pacer(between)
  readonly disabling = new Pacer(between)

  constructor(place: Place, credentials: HandedCredentials | undefined) {
    const where = { region: place.region, endpointUrl: place.endpointUrl, attempts: 1 }
    this.#looked = new AwsAccess({ ...where, credentials: credentialsOfTheMoment(place.profile) })
    this.#handed =
      credentials === undefined
        ? this.#looked
        : new AwsAccess({ ...where, credentials: staticOf(credentials) })
    this.#current = this.#handed
  }

  async do<T>(doing: string, calls: (access: AwsAccess) => Promise<T>): Promise<T> {
    const access = this.#current
    try {
      return await access.do(doing, () => calls(access))
    } catch (error) {
      if (error instanceof StrongroomError && error.code === 'SR_AWS_CREDENTIALS') this.#tryTheOthersNext()
      throw error
    }
  }

  close(): void {
    this.#handed.close()
    this.#looked.close()
  }

  #tryTheOthersNext(): void {
    this.#current = this.#current === this.#handed ? this.#looked : this.#handed
  }
}

function staticOf({ accessKeyId, secretAccessKey, sessionToken }: HandedCredentials) {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
}
