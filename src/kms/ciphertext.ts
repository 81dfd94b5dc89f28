import { randomBytes } from 'node:crypto'
import { gcmOpen, gcmSeal } from './aes-gcm.ts'
import type { BackingKey } from './backing-key.ts'
import { invalidCiphertext } from './protocol/exceptions.ts'

/** The pairs that a caller gives to Encrypt and must give again to Decrypt. They are authenticated, not stored. */
export type EncryptionContext = ReadonlyMap<string, string>

/** A blob taken apart, nothing in it verified yet. */
export interface ParsedBlob {
  readonly keyId: string
  readonly backingKeyId: string
  readonly salt: Buffer
  readonly header: Buffer
  /** Ciphertext and tag. */
  readonly sealed: Buffer
}

/*
 * Formats 1 and 2, in bytes:
 *   0   'S' 'R' 01 or 02           what it is
 *   3   key id                     16: of format 1 the UUID, of format 2 what stands behind `mrk-`
 *   19  backing key id             32
 *   51  salt                       32, random
 *   83  ciphertext                 as long as the plaintext
 *   end tag                        16
 * Key and nonce come from the backing key and the salt. AES-256-GCM; additional data: bytes 0 to 82, then the context.
 */
const magic = Buffer.from([0x53, 0x52])
const formatAt = 2
const ofOneRegion = 1
const ofSeveralRegions = 2
const keyIdAt = 3
const backingKeyIdAt = 19
const saltAt = 51
const headerLength = 83
const tagLength = 16
const multiRegionPrefix = 'mrk-'

/** `salt` is for test vectors alone. */
export function encryptBlob(
  from: { keyId: string; backingKey: BackingKey; salt?: Buffer },
  plaintext: Buffer,
  context: EncryptionContext,
): Buffer {
  const salt = from.salt ?? randomBytes(32)
  const header = Buffer.concat([magic, keyIdBytes(from.keyId), Buffer.from(from.backingKey.id, 'hex'), salt])
  const blobKey = from.backingKey.blobKey(salt)
  try {
    return Buffer.concat([header, gcmSeal(blobKey, plaintext, additionalData(header, context))])
  } finally {
    blobKey.key.fill(0)
  }
}

/** Throws InvalidCiphertextException for what can't be a blob of ours. */
export function parseBlob(blob: Buffer): ParsedBlob {
  if (blob.length <= headerLength + tagLength) throw invalidCiphertext('the blob is too short')
  const format = blob.readUInt8(formatAt)
  const isFormat = format === ofOneRegion || format === ofSeveralRegions
  if (!isFormat || !blob.subarray(0, formatAt).equals(magic)) {
    throw invalidCiphertext('the blob was not made by this service, or its first bytes are damaged')
  }
  const keyId = blob.toString('hex', keyIdAt, backingKeyIdAt)
  return {
    keyId: format === ofOneRegion ? uuid(keyId) : multiRegionPrefix + keyId,
    backingKeyId: blob.toString('hex', backingKeyIdAt, saltAt),
    salt: blob.subarray(saltAt, headerLength),
    header: blob.subarray(0, headerLength),
    sealed: blob.subarray(headerLength),
  }
}

/** The plaintext, which the caller zeroes. Throws InvalidCiphertextException when any bit of blob or context is other. */
export function decryptBlob(blob: ParsedBlob, backingKey: BackingKey, context: EncryptionContext): Buffer {
  const blobKey = backingKey.blobKey(blob.salt)
  try {
    const plaintext = gcmOpen(blobKey, blob.sealed, additionalData(blob.header, context))
    if (plaintext !== undefined) return plaintext
    throw invalidCiphertext('the blob is damaged, or the encryption context is not the one it was made with')
  } finally {
    blobKey.key.fill(0)
  }
}

/**
 * The header and the context in one form only: the number of pairs, then each key and value behind its length
 * (32 bits, big endian), in the order of the keys' UTF-8 bytes. So `{a: 'bc'}` and `{ab: 'c'}` differ.
 */
function additionalData(header: Buffer, context: EncryptionContext): Buffer {
  const pairs = [...context]
    .map(([key, value]) => [Buffer.from(key, 'utf8'), Buffer.from(value, 'utf8')] as const)
    .sort(([a], [b]) => Buffer.compare(a, b))
  const parts = [header, length(pairs.length)]
  for (const [key, value] of pairs) parts.push(length(key.length), key, length(value.length), value)
  return Buffer.concat(parts)
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The format, and the key id in 16 bytes. */
function keyIdBytes(keyId: string): Buffer {
  const isMultiRegion = keyId.startsWith(multiRegionPrefix)
  const hex = isMultiRegion ? keyId.slice(multiRegionPrefix.length) : keyId.replaceAll('-', '')
  const format = isMultiRegion ? ofSeveralRegions : ofOneRegion
  return Buffer.concat([Buffer.from([format]), Buffer.from(hex, 'hex')])
}

function uuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
