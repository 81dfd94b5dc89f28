import { encode } from 'uqr'
import { base32 } from './base32.ts'
import { blackAndWhitePng } from './png.ts'

/** Of white modules around the code: what ISO/IEC 18004 asks for. */
const quietZone = 4
const pixelsPerModule = 4

/** The two forms in which an authenticator app takes a seed; each is as secret as the seed itself. */
export interface Enrolment {
  /** To type in. */
  readonly base32Seed: string
  /** To scan: the picture of an `otpauth` URI, as a PNG file's bytes. */
  readonly qrCode: Buffer
}

/** `account` is what the app shows beside the code, under the name Strongroom. */
export function enrolment(seed: Uint8Array, account: string): Enrolment {
  const base32Seed = base32(seed)
  const { data } = encode(otpauthUri(base32Seed, account), { ecc: 'M', border: quietZone })
  return { base32Seed, qrCode: blackAndWhitePng(data, pixelsPerModule) }
}

/** https://github.com/google/google-authenticator/wiki/Key-Uri-Format; the rest is what apps take for granted. */
function otpauthUri(base32Seed: string, account: string): string {
  return `otpauth://totp/Strongroom:${encodeURIComponent(account)}?secret=${base32Seed}&issuer=Strongroom`
}
