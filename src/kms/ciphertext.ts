import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
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
  readonly ciphertext: Buffer
  readonly tag: Buffer
}

/*
 * Format 1, in bytes:
 *   0   'S' 'R' 01                 what it is
 *   3   key id                     16, the UUID
 *   19  backing key id             32
 *   51  salt                       32, random
 *   83  ciphertext                 as long as the plaintext
 *   end tag                        16
 * Key and nonce come from the backing key and the salt. AES-256-GCM; additional data: bytes 0 to 82, then the context.
 */
const magic = Buffer.from([0x53, 0x52, 0x01])
const keyIdAt = 3
const backingKeyIdAt = 19
const saltAt = 51
const headerLength = 83
const tagLength = 16

/** `salt` is for test vectors alone. */
export function encryptBlob(
  from: { keyId: string; backingKey: BackingKey; salt?: Buffer },
  plaintext: Buffer,
  context: EncryptionContext,
): Buffer {
  const salt = from.salt ?? randomBytes(32)
  const header = Buffer.concat([
    magic,
    Buffer.from(from.keyId.replaceAll('-', ''), 'hex'),
    Buffer.from(from.backingKey.id, 'hex'),
    salt,
  ])
  const { key, nonce } = from.backingKey.blobKey(salt)
  try {
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
    cipher.setAAD(additionalData(header, context))
    return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  } finally {
    key.fill(0)
  }
}

/** Throws InvalidCiphertextException for what can't be a blob of ours. */
export function parseBlob(blob: Buffer): ParsedBlob {
  if (blob.length <= headerLength + tagLength) throw invalidCiphertext('the blob is too short')
  if (!blob.subarray(0, magic.length).equals(magic)) {
    throw invalidCiphertext('the blob was not made by this service, or its first bytes are damaged')
  }
  return {
    keyId: uuid(blob.toString('hex', keyIdAt, backingKeyIdAt)),
    backingKeyId: blob.toString('hex', backingKeyIdAt, saltAt),
    salt: blob.subarray(saltAt, headerLength),
    header: blob.subarray(0, headerLength),
    ciphertext: blob.subarray(headerLength, blob.length - tagLength),
    tag: blob.subarray(blob.length - tagLength),
  }
}

/** The plaintext, which the caller zeroes. Throws InvalidCiphertextException when any bit of blob or context is other. */
export function decryptBlob(blob: ParsedBlob, backingKey: BackingKey, context: EncryptionContext): Buffer {
  const { key, nonce } = backingKey.blobKey(blob.salt)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  decipher.setAAD(additionalData(blob.header, context))
  decipher.setAuthTag(blob.tag)
  const plaintext = decipher.update(blob.ciphertext)
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    throw invalidCiphertext('the blob is damaged, or the encryption context is not the one it was made with')
  } finally {
    key.fill(0)
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

function uuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
