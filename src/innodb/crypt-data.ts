import { descriptorsEnd } from './extent-map.ts'
import type { PageFormat } from './page-format.ts'

/** What the first page of a tablespace says about its encryption (fil0crypt.h). */
export interface CryptData {
  /** False: as a whole in the clear, or about to be encrypted. */
  readonly encrypted: boolean
  readonly keyId: number
  /** No page in use is under an older version; 0 while pages in the clear may be left. Raised when a rotation has ended. */
  readonly minKeyVersion: number
  /** ENCRYPTED=YES, ENCRYPTED=NO, or neither, so that innodb_encrypt_tables decides. */
  readonly wish: 'yes' | 'no' | 'default'
}

const magic = Buffer.from('s\x0e\x0cREt', 'latin1')
const wishes = ['default', 'yes', 'no'] as const

/** undefined: the tablespace was created before encryption was turned on, and nobody has begun to encrypt it. */
export function readCryptData(firstPage: Buffer, format: PageFormat): CryptData | undefined {
  const data = firstPage.subarray(descriptorsEnd(format) + 38)
  if (!data.subarray(0, magic.length).equals(magic)) return undefined
  const wish = wishes[data.readUInt8(32)]
  if (wish === undefined || data.readUInt8(7) !== 16) return undefined
  return {
    encrypted: data.readUInt8(6) !== 0,
    minKeyVersion: data.readUInt32BE(24),
    keyId: data.readUInt32BE(28),
    wish,
  }
}
