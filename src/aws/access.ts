import { CloudTrailClient } from '@aws-sdk/client-cloudtrail'
import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { STSClient } from '@aws-sdk/client-sts'
import { fromNodeProviderChain } from '@aws-sdk/credential-providers'
import { ConfidentialHttpHandler } from '../confidential-http.ts'
import { explainAwsError } from './errors.ts'

/** Who calls, and where. */
export interface AwsCaller {
  /** undefined: the places where AWS's tools look. */
  readonly credentials?: AwsCredentials | CredentialProvider | undefined
  /** Of AWS's shared files; undefined: AWS_PROFILE, else `default`. */
  readonly profile?: string | undefined
  /** undefined: the places where AWS's tools look. */
  readonly region?: string | undefined
  /** One URL for all services, as our KMS service has it; undefined: Amazon's own. */
  readonly endpointUrl?: string | undefined
  /** Of one call, the SDK's own pauses between them (default: the SDK's). */
  readonly attempts?: number | undefined
}

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

export type CredentialProvider = ReturnType<typeof fromNodeProviderChain>

/**
 * Looks for each call anew where AWS's tools look, for whoever calls for hours: the SDK keeps for ever what doesn't say when it ends,
 * and files as it first read them.
 */
export function credentialsOfTheMoment(profile: string | undefined): CredentialProvider {
  const init = { ...(profile !== undefined && { profile }), ignoreCache: true }
  return async (identity) => ({ ...(await fromNodeProviderChain(init)(identity)), expiration: new Date(0) })
}

/** Milliseconds until a connection stands, and until a request is answered. */
const patience = { connectionTimeout: 5000, requestTimeout: 15_000 }

/** AWS's services as one caller uses them, for the commands of administrators. The agent has a client of its own. */
export class AwsAccess {
  readonly kms: KMSClient
  readonly iam: IAMClient
  readonly sts: STSClient
  readonly cloudTrail: CloudTrailClient
  /** In messages. */
  readonly endpoint: string

  constructor({ credentials, profile, region, endpointUrl, attempts }: AwsCaller) {
    this.endpoint = endpointUrl ?? 'AWS'
    const config = {
      credentials: credentials ?? fromNodeProviderChain({ ...(profile !== undefined && { profile }) }),
      requestHandler: new ConfidentialHttpHandler(patience),
      ...(profile !== undefined && { profile }),
      ...(region !== undefined && { region }),
      ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
      ...(attempts !== undefined && { maxAttempts: attempts }),
    }
    this.kms = new KMSClient(config)
    this.iam = new IAMClient(config)
    this.sts = new STSClient(config)
    this.cloudTrail = new CloudTrailClient(config)
  }

  /** Makes calls; `doing` says in a message what they are for: "create the master key". Throws SR_AWS_…. */
  async do<T>(doing: string, calls: () => Promise<T>): Promise<T> {
    try {
      return await calls()
    } catch (error) {
      throw explainAwsError(error, { doing, endpoint: this.endpoint })
    }
  }

  close(): void {
    for (const client of [this.kms, this.iam, this.sts, this.cloudTrail]) client.destroy()
  }
}
