import { z } from 'zod'

/*
 * The members of the operations on MFA devices, with Amazon's bounds.
 */

export const serialNumber = z
  .string()
  .min(9)
  .max(256)
  .regex(/^[\w+=/:,.@-]+$/)

export const virtualMfaDeviceName = z
  .string()
  .min(1)
  .regex(/^[\w+=,.@-]+$/)

export const authenticationCode = z.string().min(6).max(6).regex(/^\d+$/)

/** A user's name, or the root user's ARN: see `findMfaOwner`. */
export const mfaUserName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^([\w+=,.@-]+|arn:aws:iam::\d{12}:root)$/)
