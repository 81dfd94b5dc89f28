import { createHmac, createSecretKey, hash as digest, type KeyObject } from 'node:crypto'

/** Where a chain stands: the number of a record, counted from 1, and its hash. */
export interface Position {
  readonly sequence: number
  /** SHA-256 in hexadecimal. */
  readonly hash: string
}

/** Before the first record. */
export const beginning: Position = { sequence: 0, hash: '0'.repeat(64) }

/** What the end of a line says about its place in the chain. */
export interface Link extends Position {
  /** The hash of the record before. */
  readonly previous: string
  readonly mac: string
}

/** What the key for the MACs is derived for; see `RootKey.derive`. */
export const chainKeyPurpose = 'strongroom kms audit trail'

/**
 * A record of the trail is one line, which ends in its place in the chain:
 *
 *     {"eventVersion":…,"chain":{"sequence":7,"previous":"…","mac":"…","hash":"…"}}
 *
 * `hash` is the SHA-256 of all bytes of the line before `,"hash"`, `mac` the HMAC-SHA-256 of all before `,"mac"`, and
 * `previous` the hash of the line before. So every byte counts for the hash, which anybody can check, and all but the
 * hash for the MAC, which nobody can make without the key.
 */
export class Chain {
  readonly #key: ChainKey
  #last: Position

  constructor(key: ChainKey, last: Position) {
    this.#key = key
    this.#last = last
  }

  get last(): Position {
    return this.#last
  }

  /** The line of the next record, whose JSON text (an object that is not empty) is given. */
  link(json: string): Buffer {
    const sequence = this.#last.sequence + 1
    const place = `,"chain":{"sequence":${sequence},"previous":"${this.#last.hash}"`
    const content = Buffer.from(json.slice(0, -1) + place, 'utf8')
    const hashed = Buffer.concat([content, Buffer.from(`,"mac":"${this.#key.macOf(content)}"`, 'latin1')])
    const hash = digest('sha256', hashed, 'hex')
    this.#last = { sequence, hash }
    return Buffer.concat([hashed, Buffer.from(`,"hash":"${hash}"}}\n`, 'latin1')])
  }
}

/** The key of the chain's MACs. */
export class ChainKey {
  readonly #key: KeyObject

  /** Takes over the bytes and zeroes them; Node.js clears its own copy when this is collected. */
  constructor(bytes: Buffer) {
    // Made once: with a Buffer for a key, each MAC would take five times as long.
    this.#key = createSecretKey(bytes)
    bytes.fill(0)
  }

  macOf(content: Buffer | string): string {
    return createHmac('sha256', this.#key).update(content).digest('hex')
  }
}

const linkForm =
  /,"chain":\{"sequence":([1-9]\d{0,15}),"previous":"([0-9a-f]{64})","mac":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}\}$/
const longestLink = 320
const hashPartLength = `,"hash":""}}`.length + 64
const macPartLength = `,"mac":""`.length + 64

/** The link at the end of a line (without its line end); undefined when it has none. Checks nothing. */
export function linkOf(line: Buffer): Link | undefined {
  const end = line.toString('latin1', Math.max(0, line.length - longestLink))
  const [, sequence, previous, mac, hash] = linkForm.exec(end) ?? []
  if (sequence === undefined || previous === undefined || mac === undefined || hash === undefined)
    return undefined
  return { sequence: Number(sequence), previous, mac, hash }
}

/** Whether the link's hash is that of the line. */
export function isUnchanged(line: Buffer, { hash }: Link): boolean {
  return digest('sha256', line.subarray(0, line.length - hashPartLength), 'hex') === hash
}

/** Whether the line was written by a holder of the key. */
export function isOurs(line: Buffer, { mac }: Link, key: ChainKey): boolean {
  return key.macOf(line.subarray(0, line.length - hashPartLength - macPartLength)) === mac
}

/** The record as it was before it was linked. */
export function withoutLink(line: string): string {
  const at = line.lastIndexOf(',"chain":{"sequence":')
  return at < 0 ? line : `${line.slice(0, at)}}`
}
