import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { RootKey } from '../seal/root-key.ts'
import type { SessionTokens, TemporaryCredential } from '../sigv4/session-tokens.ts'
import { altered } from './altered.ts'
import { inTransaction } from './database.ts'
import { readDetails, type SessionDetails, sessionOwner } from './session-details.ts'
import type { SessionPrincipals } from './session-principals.ts'
import { uniqueId } from './unique-id.ts'

/** New temporary credentials. The secrets are strings because the answer that carries them is text. */
export interface IssuedSession {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAt: Date
}

interface StoredSession {
  readonly accessKeyId: string
  readonly owner: string
  readonly details: SessionDetails
  /** Of `details`, in characters. */
  readonly size: number
  /** What `sealedSecret` is bound to. */
  readonly belongsTo: string
  readonly sealedSecret: Uint8Array
  readonly tokenHash: Uint8Array
  readonly issuedAt: Date
  readonly expiresAt: Date
}

const tokenBytes = 48
/** How long expired credentials are still known as such, so that their user is told what is wrong with them. */
const rememberedMilliseconds = 86_400_000
/** Of one user or role; a bound that keeps a caller in a loop from filling memory and disk. */
const sessionsPerOwner = 10_000
/** In characters, of what the sessions of one user or role are limited to and tagged with, all together. */
const detailsPerOwner = 8 * 1024 * 1024

const sessionRow = z.object({
  access_key_id: z.string(),
  sealed_secret: z.instanceof(Uint8Array),
  token_hash: z.instanceof(Uint8Array),
  details: z.string(),
  issued_at: z.number(),
  expires_at: z.number(),
})

interface SessionRow {
  readonly access_key_id: string
  readonly sealed_secret: Uint8Array
  readonly token_hash: Uint8Array
  readonly details: string
  readonly issued_at: number
  readonly expires_at: number
}

/** The temporary credentials that were given out, all in memory, their secrets still sealed. */
export class Sessions implements SessionTokens {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #principals: SessionPrincipals
  readonly #byId = new Map<string, StoredSession>()
  readonly #idsOfOwner = new Map<string, Set<string>>()
  readonly #sizeOfOwner = new Map<string, number>()

  constructor(database: DatabaseSync, rootKey: RootKey, principals: SessionPrincipals) {
    this.#database = database
    this.#rootKey = rootKey
    this.#principals = principals
    for (const row of database.prepare('SELECT * FROM sessions').iterate()) {
      this.#remember(sessionRow.parse(row))
    }
  }

  /**
   * Durable when it returns. The secrets are given out here, once. Undefined: the user or role has as many live ones as
   * it may have.
   */
  issue(
    details: SessionDetails,
    { now, seconds, minimumTokenSize }: { now: Date; seconds: number; minimumTokenSize: number },
  ): IssuedSession | undefined {
    this.forgetExpired(now)
    if (!this.#hasRoom(sessionOwner(details), now)) return undefined
    const random = randomBytes(30)
    const token = randomBytes(Math.max(tokenBytes, Math.ceil((minimumTokenSize * 3) / 4))).toString('base64')
    // Answers tell it in whole seconds, and no later than it is.
    const expiresAt = new Date(Math.floor(now.getTime() / 1000) * 1000 + seconds * 1000)
    const secretAccessKey = random.toString('base64')
    const secret = Buffer.from(secretAccessKey)
    const row = {
      access_key_id: uniqueId('ASIA'),
      token_hash: hash('sha256', token, 'buffer'),
      details: JSON.stringify(details),
      issued_at: now.getTime(),
      expires_at: expiresAt.getTime(),
    }
    try {
      this.#insert({ ...row, sealed_secret: this.#rootKey.seal(secret, belongsTo(row)) })
    } finally {
      random.fill(0)
      secret.fill(0)
    }
    return { accessKeyId: row.access_key_id, secretAccessKey, sessionToken: token, expiresAt }
  }

  /** Undefined: none of that access key id, or none any longer. Expired ones are found for a day. */
  find(accessKeyId: string): TemporaryCredential | undefined {
    const session = this.#byId.get(accessKeyId)
    if (session === undefined) return undefined
    const principal = this.#principals.of(session)
    if (principal === undefined) return undefined
    return {
      principal,
      expiresAt: session.expiresAt,
      tokenMatches: (sessionToken) =>
        timingSafeEqual(hash('sha256', sessionToken, 'buffer'), session.tokenHash),
      secretAccessKey: () => this.#secretOf(session),
    }
  }

  /** Removes what expired more than a day ago. */
  forgetExpired(now: Date): void {
    const before = now.getTime() - rememberedMilliseconds
    const removed = this.#database
      .prepare('DELETE FROM sessions WHERE expires_at < ? RETURNING access_key_id')
      .all(before)
    for (const row of removed) this.#forget(z.object({ access_key_id: z.string() }).parse(row).access_key_id)
  }

  /** Whether one more of the owner's may be; expired ones are forgotten early to make room. */
  #hasRoom(owner: string, now: Date): boolean {
    const ids = this.#idsOfOwner.get(owner)
    if (ids === undefined || this.#isBelowBounds(owner, ids)) return true
    const remove = this.#database.prepare('DELETE FROM sessions WHERE access_key_id = ?')
    const expired = [...ids].filter((id) => (this.#byId.get(id)?.expiresAt ?? now) <= now)
    inTransaction(this.#database, () => {
      for (const id of expired) remove.run(id)
    })
    for (const id of expired) this.#forget(id)
    return this.#isBelowBounds(owner, ids)
  }

  #isBelowBounds(owner: string, ids: ReadonlySet<string>): boolean {
    return ids.size < sessionsPerOwner && (this.#sizeOfOwner.get(owner) ?? 0) < detailsPerOwner
  }

  #insert(row: SessionRow): void {
    this.#database
      .prepare(
        'INSERT INTO sessions (access_key_id, sealed_secret, token_hash, details, issued_at, expires_at) ' +
          'VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(row.access_key_id, row.sealed_secret, row.token_hash, row.details, row.issued_at, row.expires_at)
    this.#remember(row)
  }

  #remember(row: SessionRow): void {
    const details = readDetails(row.details)
    const owner = sessionOwner(details)
    this.#byId.set(row.access_key_id, {
      accessKeyId: row.access_key_id,
      owner,
      details,
      size: row.details.length,
      belongsTo: belongsTo(row),
      sealedSecret: row.sealed_secret,
      tokenHash: row.token_hash,
      issuedAt: new Date(row.issued_at),
      expiresAt: new Date(row.expires_at),
    })
    const ids = this.#idsOfOwner.get(owner) ?? new Set<string>()
    this.#idsOfOwner.set(owner, ids.add(row.access_key_id))
    this.#sizeOfOwner.set(owner, (this.#sizeOfOwner.get(owner) ?? 0) + row.details.length)
  }

  #forget(accessKeyId: string): void {
    const session = this.#byId.get(accessKeyId)
    if (session === undefined) return
    this.#byId.delete(accessKeyId)
    const ids = this.#idsOfOwner.get(session.owner)
    ids?.delete(accessKeyId)
    this.#sizeOfOwner.set(session.owner, (this.#sizeOfOwner.get(session.owner) ?? 0) - session.size)
    if (ids?.size !== 0) return
    this.#idsOfOwner.delete(session.owner)
    this.#sizeOfOwner.delete(session.owner)
  }

  #secretOf(session: StoredSession): Buffer {
    const secret = this.#rootKey.unseal(session.sealedSecret, session.belongsTo)
    if (secret === undefined) throw altered(`session ${session.accessKeyId}`)
    return secret
  }
}

/** All of the row is in it: whom the credentials speak for, with which token and until when, must not be changed. */
export function belongsTo(row: Omit<SessionRow, 'sealed_secret'>): string {
  return JSON.stringify([
    'session',
    row.access_key_id,
    Buffer.from(row.token_hash).toString('hex'),
    row.details,
    row.issued_at,
    row.expires_at,
  ])
}
