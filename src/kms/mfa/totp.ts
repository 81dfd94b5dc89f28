import { createHmac } from 'node:crypto'

/** How long one code lasts, in seconds; with SHA-1 and 6 digits this is what every authenticator app does. */
const stepSeconds = 30
const digits = 6

/** The number of the time step that `time` is in. */
export function stepAt(time: Date): number {
  return Math.floor(time.getTime() / 1000 / stepSeconds)
}

/**
 * The code of one time step, of 6 digits. RFC 6238 with SHA-1, on RFC 4226, section 5.3.
 * https://www.rfc-editor.org/rfc/rfc6238
 */
export function totpCode(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', seed).update(counter).digest()
  const offset = digest.readUInt8(digest.length - 1) & 0x0f
  const truncated = digest.readUInt32BE(offset) & 0x7fffffff
  return String(truncated % 10 ** digits).padStart(digits, '0')
}
