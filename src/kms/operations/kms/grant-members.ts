import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'

/*
 * The members of the operations on grants, with the bounds of Amazon's API model.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 */

/** The ARN of a principal. Whether there is one is asked later. */
export const principal = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w+=,.@:/-]+$/)

export const grantId = z.string().min(1).max(128)
export const grantToken = z.string().min(1).max(8192)

export const grantName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[a-zA-Z0-9:/_-]+$/)
  .optional()

/** Those that a symmetric encryption key has; a grant may name also those of them that this service does not offer. */
const symmetric: ReadonlySet<string> = new Set([
  'CreateGrant',
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RetireGrant',
])

export const grantOperations = z
  .array(
    z.enum([
      'Decrypt',
      'Encrypt',
      'GenerateDataKey',
      'GenerateDataKeyWithoutPlaintext',
      'ReEncryptFrom',
      'ReEncryptTo',
      'Sign',
      'Verify',
      'GetPublicKey',
      'CreateGrant',
      'RetireGrant',
      'DescribeKey',
      'GenerateDataKeyPair',
      'GenerateDataKeyPairWithoutPlaintext',
      'GenerateMac',
      'VerifyMac',
      'DeriveSharedSecret',
      'Encapsulate',
      'Decapsulate',
    ]),
  )
  // A grant of nothing.
  .min(1)
  .transform((operations) => [...new Set(operations)])

export function requireSymmetricOperations(operations: readonly string[]): void {
  const others = operations.filter((operation) => !symmetric.has(operation))
  if (others.length === 0) return
  throw new AwsException(
    'ValidationException',
    `Grant operations ${others.join(', ')} are not supported by a key of spec SYMMETRIC_DEFAULT.`,
  )
}

/** Throws InvalidGrantIdException for what no grant is called. */
export function requireGrantIdForm(id: string): void {
  if (isGrantId(id)) return
  throw new AwsException('InvalidGrantIdException', `The grant ID ${id} is not valid.`)
}

export function isGrantId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
