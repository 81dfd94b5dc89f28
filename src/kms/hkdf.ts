import { hkdfSync } from 'node:crypto'

/** HKDF-SHA256 (RFC 5869): `length` bytes, which the caller zeroes. */
export function hkdf(secret: Buffer, salt: Buffer, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length))
}
