import { z } from 'zod'
import { isConfidential, mustBeConfidential } from '../confidential-http.ts'
import { optionalText } from '../ini-file.ts'
import type { KeySpec } from '../keyring/data-key.ts'

/** What agent.conf and the options of MariaDB's plugin may both say; undefined: not said. */
export interface MasterKeySettings {
  readonly masterKeyId: string | undefined
  readonly keySpec: KeySpec | undefined
  readonly region: string | undefined
  readonly endpointUrl: string | undefined
  /** Milliseconds. */
  readonly requestTimeout: number | undefined
}

export const defaultKeySpec: KeySpec = 'AES_256'
/** Milliseconds. */
export const defaultRequestTimeout = 5000

const timeoutBounds = 'must be 100 to 60000 ms'

/** By their names in agent.conf, which are those of the plugin's options too. */
export const masterKeyFields = {
  'master-key-id': optionalText.pipe(
    z
      .string()
      .regex(/^[\x21-\x7e]{1,2048}$/, 'must be an id, ARN, alias or alias ARN')
      .optional(),
  ),
  'key-spec': z.enum(['AES_256', 'AES_128']).optional(),
  region: optionalText.pipe(
    z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a region, such as us-west-2')
      .optional(),
  ),
  'endpoint-url': optionalText.pipe(
    z
      .string()
      .refine(isConfidential, { error: mustBeConfidential, abort: true })
      // It is shown in logs, and no KMS is asked by them.
      .refine((url) => !hasUserInfo(url), 'must not have a user name or password')
      .optional(),
  ),
  'request-timeout': z
    .string()
    .regex(/^\d+$/, 'must be a number of milliseconds')
    .transform(Number)
    .pipe(z.int().min(100, timeoutBounds).max(60_000, timeoutBounds))
    .optional(),
}

function hasUserInfo(url: string): boolean {
  const parsed = URL.parse(url)
  return parsed !== null && parsed.username + parsed.password !== ''
}

export const masterKeySchema = z.object(masterKeyFields)

export function settingsFrom(options: z.infer<typeof masterKeySchema>): MasterKeySettings {
  return {
    masterKeyId: options['master-key-id'],
    keySpec: options['key-spec'],
    region: options.region,
    endpointUrl: options['endpoint-url'],
    requestTimeout: options['request-timeout'],
  }
}
