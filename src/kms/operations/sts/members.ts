import { z } from 'zod'
import { formInteger, formList } from '../../protocol/form-types.ts'

/*
 * The members of STS's requests, with Amazon's bounds.
 */

const name = /^[\w+=,.@-]*$/

export const roleArn = z.string().min(20).max(2048)
export const roleSessionName = z.string().min(2).max(64).regex(name)
export const sourceIdentity = z.string().min(2).max(64).regex(name)
export const externalId = z
  .string()
  .min(2)
  .max(1224)
  .regex(/^[\w+=,.@:/-]*$/)
export const sessionPolicy = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[\t\n\r\u0020-\u00FF]+$/)

/** Of managed policies; Amazon's bound for one session. */
export const sessionPolicyArns = formList(z.object({ arn: z.string().min(20).max(2048) })).check(
  z.maxLength(10),
)
export const webIdentityToken = z.string().min(4).max(20_000)

export const userDuration = formInteger.pipe(z.int().min(900).max(129_600))
export const roleDuration = formInteger.pipe(z.int().min(900).max(43_200))
export const minimumSessionTokenSize = formInteger.pipe(z.int().min(0).max(4096)).default(0)

export const mfaMembers = {
  SerialNumber: z
    .string()
    .min(9)
    .max(256)
    .regex(/^[\w+=/:,.@-]*$/)
    .optional(),
  TokenCode: z.string().min(6).max(6).regex(/^\d*$/).optional(),
}
