import { z } from 'zod'
import type { EncryptionContext } from '../../ciphertext.ts'
import { choice, outOfBounds, wrongType } from '../../protocol/validation.ts'

/*
 * The members that several operations share, with the bounds of Amazon's API model.
 */

export const keyId = z.string().min(1).max(2048)
export const flag = z.boolean().optional()
export const limit = z.int().min(1).max(1000).optional()
export const marker = z.string().min(1).max(1024).optional()
export const policyName = z.string().min(1).max(128).regex(/^\w+$/).optional()
export const policy = z
  .string()
  .min(1)
  .max(131_072)
  .regex(/^[\t\n\r\u0020-\u00FF]+$/)

/** Whether they are any good is asked by `requireGrantTokens`. */
export const grantTokens = z.array(z.string().min(1).max(8192)).max(10).optional()
export const recipient = notOffered(
  'Recipient is not offered: this service cannot verify the attestation documents of AWS Nitro.',
)
export const customKeyStoreId = notOffered('CustomKeyStoreId is not offered: there are no custom key stores.')
export const xksKeyId = notOffered('XksKeyId is not offered: there are no custom key stores.')
export const dryRunModifiers = z.array(z.enum(['IGNORE_CIPHERTEXT'])).optional()

/** 1 to 6144 bytes. */
export const importToken = base64('importToken', 6144).transform((text) => Buffer.from(text, 'base64'))
export const encryptedKeyMaterial = base64('encryptedKeyMaterial', 6144).transform((text) =>
  Buffer.from(text, 'base64'),
)
export const keyMaterialId = z
  .string()
  .min(64)
  .max(64)
  .regex(/^[a-f0-9]+$/)
  .optional()
export const description = z.string().max(8192)
export const region = z
  .string()
  .min(1)
  .max(32)
  .regex(/^([a-z]+-){2,3}\d+$/)

/** What is encrypted: 1 to 4096 bytes. It stays base64 until it is used, so that a refused request leaves no copy. */
export const plaintext = base64('plaintext', 4096)
/** A ciphertext blob: 1 to 6144 bytes. */
export const blob = base64('ciphertextBlob', 6144).transform((text) => Buffer.from(text, 'base64'))

export const dataKeySpec = z.enum(['AES_256', 'AES_128']).optional()
export const numberOfBytes = z.int().min(1).max(1024).optional()

/** Any of Amazon's names passes here: whether it fits the key is asked later, and has an error of its own. */
export const encryptionAlgorithm = z
  .enum(['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'])
  .optional()

/**
 * In bytes, keys and values together. Amazon's documentation and API model name no bound; others' imitations say 4,096
 * or 8,192, and we take the larger, so that nothing is refused here that is known to pass there. Some bound there must
 * be: an encryption context goes into every record and is matched with the patterns of policies.
 */
const maxEncryptionContextBytes = 8192

/** Absent is the same as empty. */
export const encryptionContext = z
  .unknown()
  .optional()
  .transform((value, ctx) => (value === undefined ? new Map<string, string>() : readPairs(value, ctx)))

/** What a grant says of encryption contexts: empty is not the same as absent. */
export const contextConstraint = z
  .unknown()
  .optional()
  .transform((value, ctx) => (value === undefined ? undefined : readPairs(value, ctx)))

/** Not `z.record`: that drops a key named `__proto__`. */
function readPairs(value: unknown, ctx: z.RefinementCtx): EncryptionContext {
  const pairs = new Map<string, string>()
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    ctx.addIssue(wrongType('an encryption context must be an object'))
    return z.NEVER
  }
  const entries: [string, unknown][] = Object.entries(value)
  let size = 0
  for (const [key, text] of entries) {
    if (typeof text !== 'string') {
      ctx.addIssue(wrongType('the values of an encryption context must be strings'))
      return z.NEVER
    }
    // A lone surrogate has no UTF-8 form, so two different contexts could have the same bytes.
    if (!key.isWellFormed() || !text.isWellFormed()) {
      ctx.addIssue(wrongType('an encryption context must be Unicode text'))
      return z.NEVER
    }
    pairs.set(key, text)
    size += Buffer.byteLength(key) + Buffer.byteLength(text)
  }
  if (size > maxEncryptionContextBytes) {
    ctx.addIssue(
      outOfBounds(
        `Member must have length less than or equal to ${maxEncryptionContextBytes} bytes, keys and values together`,
      ),
    )
    return z.NEVER
  }
  return pairs
}

/** One kind of master key as yet. */
export const keySpec = choice(
  'KeySpec',
  ['SYMMETRIC_DEFAULT'],
  [
    'RSA_2048',
    'RSA_3072',
    'RSA_4096',
    'ECC_NIST_P256',
    'ECC_NIST_P384',
    'ECC_NIST_P521',
    'ECC_SECG_P256K1',
    'SYMMETRIC_DEFAULT',
    'HMAC_224',
    'HMAC_256',
    'HMAC_384',
    'HMAC_512',
    'SM2',
    'ML_DSA_44',
    'ML_DSA_65',
    'ML_DSA_87',
    'ECC_NIST_EDWARDS25519',
  ],
).optional()

export const keyUsage = choice(
  'KeyUsage',
  ['ENCRYPT_DECRYPT'],
  ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'],
).optional()

export const origin = choice(
  'Origin',
  ['AWS_KMS', 'EXTERNAL'],
  ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'],
).optional()

/** A member that Amazon knows and that asks for something that this service does not do. */
function notOffered(message: string): z.ZodOptional<z.ZodUnknown> {
  return z
    .unknown()
    .refine((value) => value === undefined, { message, params: { kind: 'unsupported' } })
    .optional()
}

function base64(name: string, max: number): z.ZodType<string, string> {
  return z.string().superRefine((text, ctx) => {
    const bytes = Buffer.from(text, 'base64')
    // Node.js skips what is not base64; a text that does not come back was not base64.
    const isBase64 = bytes.toString('base64') === text
    bytes.fill(0)
    if (!isBase64) ctx.addIssue(wrongType(`'${name}' is not base64`))
    else if (bytes.length < 1) ctx.addIssue(outOfBounds('Member must have length greater than or equal to 1'))
    else if (bytes.length > max)
      ctx.addIssue(outOfBounds(`Member must have length less than or equal to ${max}`))
  })
}
