import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { type WrappingAlgorithm, wrappingAlgorithms } from '../key-wrapping.ts'
import type { RootKey } from '../seal/root-key.ts'
import type { WrappingKey } from '../wrapping-keys.ts'
import type { KeyName } from './keys/key.ts'
import { altered } from './altered.ts'

const validFor = 24 * 60 * 60 * 1000

/*
 * An import token, in bytes: 0 'S' 'R' 'i' 01, 4 its id (16), 20 the milliseconds since 1970 at which it ends (8),
 * 28 a tag by the root key over both for one key in one region (32).
 */
const magic = Buffer.from([0x53, 0x52, 0x69, 0x01])
const idAt = 4
const endAt = 20
const tagAt = 28
const tokenLength = 60

const parametersRow = z.object({
  wrapping_algorithm: z.enum(wrappingAlgorithms),
  sealed_private_key: z.instanceof(Uint8Array),
  expires_at: z.number(),
})

/** What GetParametersForImport gives out. */
export interface ImportParameters {
  readonly token: Buffer
  /** DER, SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
  readonly validTo: Date
}

/** What a token stands for. The private key is PKCS #8; the caller zeroes it. */
export interface OpenedToken {
  readonly algorithm: WrappingAlgorithm
  readonly privateKey: Buffer
}

/** The wrapping keys that were given out and can still be used, of all regions. */
export class ImportTokens {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey

  constructor(database: DatabaseSync, rootKey: RootKey) {
    this.#database = database
    this.#rootKey = rootKey
  }

  create(
    key: KeyName,
    wrapping: { key: WrappingKey; algorithm: WrappingAlgorithm },
    now: Date,
  ): ImportParameters {
    const id = randomBytes(16)
    const end = now.getTime() + validFor
    const row = { id: id.toString('hex'), algorithm: wrapping.algorithm, end }
    const der = wrapping.key.privateKey.export({ format: 'der', type: 'pkcs8' })
    try {
      this.#database
        .prepare(
          'INSERT INTO import_parameters (region, key_id, token_id, wrapping_algorithm, sealed_private_key, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(key.region, key.keyId, row.id, row.algorithm, this.#rootKey.seal(der, owner(key, row)), end)
    } finally {
      der.fill(0)
    }
    return {
      token: this.#token(key, id, end),
      publicKey: wrapping.key.publicKey.export({ format: 'der', type: 'spki' }),
      validTo: new Date(end),
    }
  }

  /** `invalid`: not made by this service, or for another key. */
  open(key: KeyName, token: Buffer, now: Date): OpenedToken | 'invalid' | 'expired' {
    if (token.length !== tokenLength || !token.subarray(0, idAt).equals(magic)) return 'invalid'
    const signed = token.subarray(idAt, tagAt)
    if (!this.#rootKey.isTag(token.subarray(tagAt), tokenOwner(key), signed)) return 'invalid'
    if (Number(token.readBigUInt64BE(endAt)) <= now.getTime()) return 'expired'
    const id = token.toString('hex', idAt, endAt)
    const found = this.#database
      .prepare('SELECT * FROM import_parameters WHERE region = ? AND key_id = ? AND token_id = ?')
      .get(key.region, key.keyId, id)
    if (found === undefined) return 'invalid'
    const row = parametersRow.parse(found)
    const belongsTo = owner(key, { id, algorithm: row.wrapping_algorithm, end: row.expires_at })
    const privateKey = this.#rootKey.unseal(row.sealed_private_key, belongsTo)
    if (privateKey === undefined) throw altered(belongsTo)
    return { algorithm: row.wrapping_algorithm, privateKey }
  }

  removeExpired(now: Date): void {
    this.#database.prepare('DELETE FROM import_parameters WHERE expires_at <= ?').run(now.getTime())
  }

  #token(key: KeyName, id: Buffer, end: number): Buffer {
    const signed = Buffer.alloc(tagAt - idAt)
    id.copy(signed)
    signed.writeBigUInt64BE(BigInt(end), endAt - idAt)
    return Buffer.concat([magic, signed, this.#rootKey.tag(tokenOwner(key), signed)])
  }
}

export function owner(key: KeyName, row: { id: string; algorithm: string; end: number }): string {
  return `wrapping key ${row.id} of key ${key.keyId} in ${key.region}, for ${row.algorithm} until ${row.end}`
}

function tokenOwner({ region, keyId }: KeyName): string {
  return `import token of key ${keyId} in ${region}`
}
