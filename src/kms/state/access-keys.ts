import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { rootUserArn } from '../arn.ts'
import type { Principal } from '../principal.ts'
import type { RootKey } from '../seal/root-key.ts'
import { uniqueId, Users } from './users.ts'

/** An access key without its secret. */
export interface AccessKey {
  readonly accessKeyId: string
  /** Undefined: the account's root user. */
  readonly userId: string | undefined
  readonly active: boolean
  readonly createdAt: Date
}

interface CachedAccessKey extends AccessKey {
  readonly principal: Principal
  readonly sealedSecret: Uint8Array
}

const accessKeyRow = z.object({
  access_key_id: z.string(),
  user_id: z.string().nullable(),
  sealed_secret: z.instanceof(Uint8Array),
  active: z.number(),
  created_at: z.number(),
})

/** The access keys of the root user and of the IAM users, all in memory, their secrets still sealed. */
export class AccessKeys {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #accountId: string
  readonly #users: Users
  readonly #byId = new Map<string, CachedAccessKey>()

  constructor(database: DatabaseSync, rootKey: RootKey, accountId: string) {
    this.#database = database
    this.#rootKey = rootKey
    this.#accountId = accountId
    this.#users = new Users(database, accountId)
    for (const row of database.prepare('SELECT * FROM access_keys').iterate()) this.#remember(row)
  }

  /** The secret is given out here, once. It is a string because the answer that carries it is text. */
  create(userId: string | undefined): AccessKey & { secretAccessKey: string } {
    const accessKeyId = uniqueId('AKIA')
    const secretAccessKey = randomBytes(30).toString('base64')
    this.#database
      .prepare(
        'INSERT INTO access_keys (access_key_id, user_id, sealed_secret, active, created_at) VALUES (?, ?, ?, 1, ?)',
      )
      .run(
        accessKeyId,
        userId ?? null,
        this.#rootKey.seal(Buffer.from(secretAccessKey), belongsTo(accessKeyId)),
        Date.now(),
      )
    return { ...this.#reload(accessKeyId), secretAccessKey }
  }

  get(accessKeyId: string): AccessKey | undefined {
    return this.#byId.get(accessKeyId)
  }

  /** Who an active access key speaks for; undefined when it is unknown or inactive. */
  principalOf(accessKeyId: string): Principal | undefined {
    const accessKey = this.#byId.get(accessKeyId)
    return accessKey?.active === true ? accessKey.principal : undefined
  }

  /** The secret access key's bytes, which the caller zeroes. */
  secretOf(accessKeyId: string): Buffer {
    const sealed = this.#byId.get(accessKeyId)?.sealedSecret
    const secret = sealed === undefined ? undefined : this.#rootKey.unseal(sealed, belongsTo(accessKeyId))
    if (secret === undefined) throw new Error(`the row of access key ${accessKeyId} was altered`)
    return secret
  }

  /** Oldest first. */
  ofUser(userId: string | undefined): AccessKey[] {
    return [...this.#byId.values()]
      .filter((accessKey) => accessKey.userId === userId)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  }

  setActive(accessKeyId: string, active: boolean): void {
    this.#database
      .prepare('UPDATE access_keys SET active = ? WHERE access_key_id = ?')
      .run(active ? 1 : 0, accessKeyId)
    this.#reload(accessKeyId)
  }

  delete(accessKeyId: string): void {
    this.#database.prepare('DELETE FROM access_keys WHERE access_key_id = ?').run(accessKeyId)
    this.#byId.delete(accessKeyId)
  }

  #reload(accessKeyId: string): CachedAccessKey {
    return this.#remember(
      this.#database.prepare('SELECT * FROM access_keys WHERE access_key_id = ?').get(accessKeyId),
    )
  }

  #remember(found: unknown): CachedAccessKey {
    const row = accessKeyRow.parse(found)
    const accessKey = {
      accessKeyId: row.access_key_id,
      userId: row.user_id ?? undefined,
      active: row.active === 1,
      createdAt: new Date(row.created_at),
      sealedSecret: row.sealed_secret,
      principal: this.#principal(row.access_key_id, row.user_id),
    }
    this.#byId.set(row.access_key_id, accessKey)
    return accessKey
  }

  #principal(accessKeyId: string, userId: string | null): Principal {
    const accountId = this.#accountId
    if (userId === null) {
      return { type: 'Root', accountId, arn: rootUserArn(accountId), principalId: accountId, accessKeyId }
    }
    const user = this.#users.withId(userId)
    if (user === undefined) throw new Error(`access key ${accessKeyId} belongs to no user`)
    return {
      type: 'IAMUser',
      accountId,
      arn: user.arn,
      principalId: user.userId,
      userName: user.userName,
      accessKeyId,
    }
  }
}

function belongsTo(accessKeyId: string): string {
  return `access key ${accessKeyId}`
}
