import { z } from 'zod'
import type { AwsAccess } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'
import { formatDuration } from './duration.ts'

/** As they are handed to the watchdog: through a pipe, so that no other process sees them. */
export const handedCredentials = z.strictObject({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string().optional(),
  /** Milliseconds since 1970; undefined: they don't say when they end. */
  expiresAt: z.number().optional(),
})
export type HandedCredentials = z.infer<typeof handedCredentials>

/** After the window's end there may be trouble, and disabling has to be tried again (milliseconds). */
const leastMargin = 60_000
const goodMargin = 15 * 60_000

/** The caller's, taken now. Throws SR_AWS_CREDENTIALS. */
export async function takeCredentials(access: AwsAccess): Promise<HandedCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await access.do(
    'take the credentials with which the master key will be disabled again',
    () => access.kms.config.credentials(),
  )
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiration !== undefined && { expiresAt: expiration.getTime() }),
  }
}

/** A warning where little time would be left to disable the key with them. Throws SR_WINDOW_REFUSED where none would be. */
export function requireThatTheyLast(
  { expiresAt }: HandedCredentials,
  windowLasts: number,
): string | undefined {
  if (expiresAt === undefined) return undefined
  const margin = expiresAt - Date.now() - windowLasts
  const when = `your AWS credentials expire in ${formatDuration(expiresAt - Date.now())}`
  if (margin < leastMargin) {
    throw new StrongroomError(
      'SR_WINDOW_REFUSED',
      `${when}, so nothing could be closed again after a window of ${formatDuration(windowLasts)}: renew them first`,
    )
  }
  if (margin >= goodMargin) return undefined
  return `${when}: should there be trouble, what a window opened can't be closed with them later than ${formatDuration(margin)} after its end`
}
