import { stepAt, totpCode } from '../../src/kms/mfa/totp.ts'

/** For tests: an authenticator app, into which the seed of a virtual MFA device was typed. */
export class Authenticator {
  readonly #seed: Buffer

  constructor(base32Seed: string) {
    this.#seed = decodeBase32(base32Seed)
  }

  /** The code that it shows at that time, so many seconds later. */
  code(time: Date, seconds = 0): string {
    return totpCode(this.#seed, stepAt(new Date(time.getTime() + seconds * 1000)))
  }

  /** Two codes in a row, the second of them of now, as EnableMFADevice takes them. */
  pair(time: Date): { AuthenticationCode1: string; AuthenticationCode2: string } {
    return { AuthenticationCode1: this.code(time, -30), AuthenticationCode2: this.code(time) }
  }
}

function decodeBase32(text: string): Buffer {
  const bits = Array.from(text)
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const bytes = bits.match(/[01]{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => parseInt(byte, 2)))
}
