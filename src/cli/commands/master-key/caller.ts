import type { AwsAccess } from '../../../aws/access.ts'
import { type HandedCredentials, takeCredentials } from '../../../master-key-window/credentials.ts'
import type { Place } from '../../../master-key-window/target.ts'

export interface FullCaller {
  readonly place: Place
  readonly credentials: HandedCredentials
}

/** Who calls, and where, as it has to be known where the calls are made by another process. Throws SR_AWS_…. */
export async function callerOf(
  access: AwsAccess,
  values: Readonly<Record<string, unknown>>,
): Promise<FullCaller> {
  // As the SDK finds it; the process that reads it from a duty may have another environment.
  const { AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL } = process.env
  const endpointUrl = values['endpoint-url'] ?? AWS_ENDPOINT_URL_KMS ?? AWS_ENDPOINT_URL
  const { profile } = values
  const region = await access.do('find out the region', () => access.kms.config.region())
  return {
    place: {
      region,
      ...(typeof endpointUrl === 'string' && endpointUrl !== '' && { endpointUrl }),
      ...(typeof profile === 'string' && { profile }),
    },
    credentials: await takeCredentials(access),
  }
}
