import { z } from 'zod'
import { AwsAccess } from '../aws/access.ts'
import { isConfidential, mustBeConfidential } from '../confidential-http.ts'
import { StrongroomError } from '../errors.ts'

/** Those of each command that calls AWS's services, for `parseArguments`. */
export const awsOptions = {
  region: { type: 'string' },
  'endpoint-url': { type: 'string' },
  profile: { type: 'string' },
} as const

export const awsOptionsHelp = `
  --region REGION     (default: that of AWS_REGION, AWS_DEFAULT_REGION or the profile)
  --endpoint-url URL  of a KMS service of your own, such as https://kms.example.com:8202 (default: Amazon's)
  --profile NAME      in AWS's shared files (default: AWS_PROFILE, else AWS's own order of places)
`.replace(/^\n|\n$/g, '')

const schema = z.object({
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, '--region must be the name of a region, such as us-west-2')
    .default(() => process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? '')
    .transform((region) => (region === '' ? undefined : region)),
  'endpoint-url': z.string().refine(isConfidential, `--endpoint-url ${mustBeConfidential}`).optional(),
  profile: z.string().optional(),
})

/** Throws SR_USAGE. The caller closes it. `attempts` is of one call; undefined: the SDK's. */
export function awsAccessFrom(
  values: { readonly [Name in keyof typeof awsOptions]?: string | undefined },
  attempts?: number,
): AwsAccess {
  const { success, data, error } = schema.safeParse(values)
  if (!success) throw new StrongroomError('SR_USAGE', error.issues.map(({ message }) => message).join('; '))
  const { region, 'endpoint-url': endpointUrl, profile } = data
  return new AwsAccess({ region, endpointUrl, profile, attempts })
}
