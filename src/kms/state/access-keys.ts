import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { type Principal, rootPrincipal, userPrincipal } from '../principal.ts'
import type { RootKey } from '../seal/root-key.ts'
import { altered } from './altered.ts'
import { IdentityTags } from './identity-tags.ts'
import { uniqueId } from './unique-id.ts'
import { type User, Users } from './users.ts'

/** An access key without its secret. */
export interface AccessKey {
  readonly accessKeyId: string
  /** Undefined: the account's root user. */
  readonly userId: string | undefined
  readonly active: boolean
  readonly createdAt: Date
}

interface CachedAccessKey extends AccessKey {
  readonly sealedSecret: Uint8Array
  /** Who it speaks for, with the `User` that this was made from. */
  speaksFor?: { readonly user: User | undefined; readonly principal: Principal }
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
  readonly #identityTags: IdentityTags
  readonly #byId = new Map<string, CachedAccessKey>()

  /** `users`: the one place where the users of this database are. */
  constructor(
    database: DatabaseSync,
    rootKey: RootKey,
    accountId: string,
    users: Users = new Users(database, accountId, new IdentityTags(database, rootKey)),
  ) {
    this.#database = database
    this.#identityTags = new IdentityTags(database, rootKey)
    this.#rootKey = rootKey
    this.#accountId = accountId
    this.#users = users
    for (const row of database.prepare('SELECT * FROM access_keys').iterate()) this.#remember(row)
  }

  /** The secret is given out here, once. It is a string because the answer that carries it is text. */
  create(userId: string | undefined): AccessKey & { secretAccessKey: string } {
    const accessKeyId = uniqueId('AKIA')
    const { secretAccessKey, sealed } = this.#newSecret(belongsTo(accessKeyId, userId))
    this.#change(userId, () =>
      this.#database
        .prepare(
          'INSERT INTO access_keys (access_key_id, user_id, sealed_secret, active, created_at) VALUES (?, ?, ?, 1, ?)',
        )
        .run(accessKeyId, userId ?? null, sealed, Date.now()),
    )
    return { ...this.#reload(accessKeyId), secretAccessKey }
  }

  get(accessKeyId: string): AccessKey | undefined {
    return this.#byId.get(accessKeyId)
  }

  /** Who an active access key speaks for; undefined when it is unknown or inactive. */
  principalOf(accessKeyId: string): Principal | undefined {
    const accessKey = this.#byId.get(accessKeyId)
    return accessKey?.active === true ? this.#principal(accessKey) : undefined
  }

  /** The secret access key's bytes, which the caller zeroes. */
  secretOf(accessKeyId: string): Buffer {
    const accessKey = this.#byId.get(accessKeyId)
    if (accessKey === undefined) throw new Error(`there is no access key ${accessKeyId}`)
    const owner = belongsTo(accessKeyId, accessKey.userId)
    const secret = this.#rootKey.unseal(accessKey.sealedSecret, owner)
    if (secret === undefined) throw altered(owner)
    return secret
  }

  /** Oldest first. */
  ofUser(userId: string | undefined): AccessKey[] {
    return [...this.#byId.values()]
      .filter((accessKey) => accessKey.userId === userId)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  }

  setActive(accessKeyId: string, active: boolean): void {
    this.#change(this.get(accessKeyId)?.userId, () =>
      this.#database
        .prepare('UPDATE access_keys SET active = ? WHERE access_key_id = ?')
        .run(active ? 1 : 0, accessKeyId),
    )
    this.#reload(accessKeyId)
  }

  delete(accessKeyId: string): void {
    this.#change(this.get(accessKeyId)?.userId, () =>
      this.#database.prepare('DELETE FROM access_keys WHERE access_key_id = ?').run(accessKeyId),
    )
    this.#byId.delete(accessKeyId)
  }

  #change(userId: string | undefined, work: () => unknown): void {
    this.#identityTags.change(userId === undefined ? [] : [userId], work)
  }

  #newSecret(owner: string): { secretAccessKey: string; sealed: Buffer } {
    const random = randomBytes(30)
    const secretAccessKey = random.toString('base64')
    const bytes = Buffer.from(secretAccessKey)
    try {
      return { secretAccessKey, sealed: this.#rootKey.seal(bytes, owner) }
    } finally {
      random.fill(0)
      bytes.fill(0)
    }
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
    }
    this.#byId.set(row.access_key_id, accessKey)
    return accessKey
  }

  /** Made anew when the user has another name, path or tags than before. */
  #principal(accessKey: CachedAccessKey): Principal {
    const { userId } = accessKey
    const user = userId === undefined ? undefined : this.#users.withId(userId)
    if (accessKey.speaksFor === undefined || accessKey.speaksFor.user !== user) {
      accessKey.speaksFor = { user, principal: this.#newPrincipal(accessKey, user) }
    }
    return accessKey.speaksFor.principal
  }

  #newPrincipal({ accessKeyId, userId }: CachedAccessKey, user: User | undefined): Principal {
    const credentials = { accountId: this.#accountId, accessKeyId, session: undefined }
    if (userId === undefined) return rootPrincipal(credentials)
    if (user === undefined) throw new Error(`access key ${accessKeyId} belongs to no user`)
    return userPrincipal(user, credentials)
  }
}

/** The user is in it: whose key it is decides what it may do, so it must not be made another user's, or the root's. */
export function belongsTo(accessKeyId: string, userId: string | undefined): string {
  return `access key ${accessKeyId} of ${userId === undefined ? 'the root user' : `user ${userId}`}`
}
