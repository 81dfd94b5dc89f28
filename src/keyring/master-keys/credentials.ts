import { fromIni, fromNodeProviderChain } from '@aws-sdk/credential-providers'

export interface CredentialOptions {
  /** An AWS shared credentials file; undefined: the places where AWS's tools look. */
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
}

/** An instance without a metadata service must not hold up a start (milliseconds; the SDK's default is a second). */
const metadataTimeout = 1000

/**
 * A named file is read again whenever credentials are asked for anew, and nothing else is tried. Without one,
 * AWS's standard chain: environment, shared files, web identity, process, container and instance metadata.
 */
export function credentialsFor({
  credentialsFile,
  profile,
}: CredentialOptions): ReturnType<typeof fromNodeProviderChain> {
  const named = profile === undefined ? {} : { profile }
  if (credentialsFile !== undefined) {
    return fromIni({
      ...named,
      filepath: credentialsFile,
      configFilepath: credentialsFile,
      ignoreCache: true,
    })
  }
  return fromNodeProviderChain({ ...named, timeout: metadataTimeout, maxRetries: 0, ignoreCache: true })
}
