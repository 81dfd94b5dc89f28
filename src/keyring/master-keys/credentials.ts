import { fromIni, fromNodeProviderChain } from '@aws-sdk/credential-providers'
import { withinTime } from './time-limit.ts'

export interface CredentialOptions {
  /** An AWS shared credentials file; undefined: the places where AWS's tools look. */
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
  /** Milliseconds. */
  readonly requestTimeout: number
}

export type CredentialProvider = ReturnType<typeof fromNodeProviderChain>

/** An instance without a metadata service must not hold up a start (milliseconds; the SDK's default is a second). */
const metadataTimeout = 1000

/** The SDK renews what has less than five minutes left, and keeps for ever what says nothing about its end. */
const keptForASecond = 5 * 60_000 + 1000

/**
 * Credentials that are looked up again when they are a second old, so that renewed ones count (rule K4). A named file is
 * the only place then; without one, AWS's standard chain: environment, shared files, web identity, process, container
 * and instance metadata.
 */
export function credentialsFor({
  credentialsFile,
  profile,
  requestTimeout,
}: CredentialOptions): CredentialProvider {
  const named = profile === undefined ? {} : { profile }
  const lookUp =
    credentialsFile === undefined
      ? fromNodeProviderChain({ ...named, timeout: metadataTimeout, maxRetries: 0, ignoreCache: true })
      : fromIni({ ...named, filepath: credentialsFile, configFilepath: credentialsFile, ignoreCache: true })
  return async (options) => {
    // The SDK lets all its calls wait for one look-up; one that hangs must not hang them for good.
    const found = await withinTime(requestTimeout, () => lookUp(options))
    return { ...found, expiration: found.expiration ?? new Date(Date.now() + keptForASecond) }
  }
}
