import { z } from 'zod'
import { formInteger, formList } from '../../protocol/form-types.ts'

/*
 * The members of IAM's requests, with Amazon's bounds.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
 */

const namePattern = /^[\w+=,.@-]+$/

export const newUserName = z.string().min(1).max(64).regex(namePattern)
export const userName = z.string().min(1).max(128).regex(namePattern)
export const groupName = z.string().min(1).max(128).regex(namePattern)
export const roleName = z.string().min(1).max(64).regex(namePattern)
export const policyName = z.string().min(1).max(128).regex(namePattern)

export const accessKeyId = z.string().min(16).max(128).regex(/^\w+$/)
export const policyArn = z.string().min(20).max(2048)
export const versionId = z.string().regex(/^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$/)

export const path = z
  .string()
  .min(1)
  .max(512)
  .regex(/^(\/|\/[\u0021-\u007F]+\/)$/)
export const policyPath = z
  .string()
  .min(1)
  .max(512)
  .regex(/^((\/[A-Za-z0-9.,+@=_-]+)*)\/$/)
export const pathPrefix = z
  .string()
  .min(1)
  .max(512)
  .regex(/^\/[\u0021-\u007F]*$/)

export const policyDocument = z
  .string()
  .min(1)
  .max(131_072)
  .regex(/^[\t\n\r\u0020-\u00FF]+$/)
export const policyDescription = z.string().max(1000)
export const roleDescription = z
  .string()
  .max(1000)
  .regex(/^[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*$/u)
export const maxSessionDuration = formInteger.pipe(z.int().min(3600).max(43_200))

const tagKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u)
const tagValue = z
  .string()
  .max(256)
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u)
/** As many as a user, role or policy can have. */
export const tagsPerEntity = 50
export const tags = formList(z.object({ Key: tagKey, Value: tagValue })).check(z.maxLength(tagsPerEntity))
export const tagKeys = formList(tagKey).check(z.maxLength(tagsPerEntity))

/** What every list takes. */
export const pageMembers = {
  // Amazon's has at most 320 characters. Ours holds a name, and the ARN of a policy or the key of a tag can be longer.
  Marker: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[\u0020-\u00FF]+$/)
    .optional(),
  MaxItems: formInteger.pipe(z.int().min(1).max(1000)).default(100),
}

/** A member that Amazon knows and that this service has nothing for. */
export function notOffered(name: string): z.ZodOptional<z.ZodUnknown> {
  return z
    .unknown()
    .refine((value) => value === undefined, {
      message: `${name} is not offered by this service.`,
      params: { kind: 'unsupported' },
    })
    .optional()
}
