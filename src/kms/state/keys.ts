import { randomBytes, randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { z } from 'zod'
import { type Account, keyArn } from '../arn.ts'
import { BackingKey } from '../backing-key.ts'
import { parseStoredKeyPolicy, type PolicyDocument } from '../policy/document.ts'
import type { RootKey } from '../seal/root-key.ts'
import { altered } from './altered.ts'
import { inTransaction } from './database.ts'

/** A master key, unsealed. */
export interface Key {
  readonly keyId: string
  readonly arn: string
  readonly description: string
  readonly createdAt: Date
  readonly enabled: boolean
  /** The key policy as it was put. */
  readonly policy: string
  readonly policyDocument: PolicyDocument
  /** What new blobs are made with. */
  readonly currentBackingKey: BackingKey
  /** By id; the current one and all older ones. */
  readonly backingKeys: ReadonlyMap<string, BackingKey>
}

const keyRow = z.object({
  key_id: z.string(),
  description: z.string(),
  enabled: z.number(),
  policy: z.string(),
  created_at: z.number(),
})
const backingKeyRow = z.object({
  backing_key_id: z.string(),
  generation: z.number(),
  sealed_secret: z.instanceof(Uint8Array),
})
const keyIdRow = z.object({ key_id: z.string() })

/** The master keys. A key that was used once stays unsealed in memory; the database is written first, always. */
export class Keys {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #account: Account
  readonly #log: Logger
  readonly #unsealed = new Map<string, Key>()

  constructor(database: DatabaseSync, rootKey: RootKey, account: Account, log: Logger) {
    this.#database = database
    this.#rootKey = rootKey
    this.#account = account
    this.#log = log
  }

  create(attributes: { description: string; policy: string }): Key {
    const keyId = randomUUID()
    const backingKeyId = randomBytes(32).toString('hex')
    const sealed = this.#sealedSecret(belongsTo(keyId, backingKeyId, 1))
    const now = Date.now()
    inTransaction(this.#database, () => {
      this.#database
        .prepare('INSERT INTO keys (key_id, description, enabled, policy, created_at) VALUES (?, ?, 1, ?, ?)')
        .run(keyId, attributes.description, attributes.policy, now)
      this.#database
        .prepare(
          'INSERT INTO backing_keys (backing_key_id, key_id, generation, sealed_secret, created_at) VALUES (?, ?, 1, ?, ?)',
        )
        .run(backingKeyId, keyId, sealed, now)
    })
    return this.#load(keyId) ?? fail(`the key ${keyId} is gone`)
  }

  get(keyId: string): Key | undefined {
    return this.#unsealed.get(keyId) ?? this.#load(keyId)
  }

  /** Key ids in their order, from the first after `after`. */
  list(page: { after: string; limit: number }): string[] {
    return this.#database
      .prepare('SELECT key_id FROM keys WHERE key_id > ? ORDER BY key_id LIMIT ?')
      .all(page.after, page.limit)
      .map((row) => keyIdRow.parse(row).key_id)
  }

  setEnabled(key: Key, enabled: boolean): void {
    this.#database.prepare('UPDATE keys SET enabled = ? WHERE key_id = ?').run(enabled ? 1 : 0, key.keyId)
    this.#unsealed.set(key.keyId, { ...key, enabled })
  }

  setPolicy(key: Key, policy: string, policyDocument: PolicyDocument): void {
    this.#database.prepare('UPDATE keys SET policy = ? WHERE key_id = ?').run(policy, key.keyId)
    this.#unsealed.set(key.keyId, { ...key, policy, policyDocument })
  }

  zero(): void {
    for (const key of this.#unsealed.values())
      for (const backingKey of key.backingKeys.values()) backingKey.zero()
    this.#unsealed.clear()
  }

  #load(keyId: string): Key | undefined {
    const found = this.#database.prepare('SELECT * FROM keys WHERE key_id = ?').get(keyId)
    if (found === undefined) return undefined
    const row = keyRow.parse(found)
    const backingKeys = this.#unsealBackingKeys(keyId)
    const key: Key = {
      keyId,
      arn: keyArn(this.#account, keyId),
      description: row.description,
      createdAt: new Date(row.created_at),
      enabled: row.enabled === 1,
      policy: row.policy,
      policyDocument: parseStoredKeyPolicy(row.policy, (why) => {
        this.#log.error({ keyId, why }, 'the stored policy of a key cannot be read, so it allows nothing')
      }),
      currentBackingKey: backingKeys.at(-1) ?? fail(`the key ${keyId} has no backing key`),
      backingKeys: new Map(backingKeys.map((backingKey) => [backingKey.id, backingKey])),
    }
    this.#unsealed.set(keyId, key)
    return key
  }

  #sealedSecret(owner: string): Buffer {
    const secret = randomBytes(32)
    try {
      return this.#rootKey.seal(secret, owner)
    } finally {
      secret.fill(0)
    }
  }

  #unsealBackingKeys(keyId: string): BackingKey[] {
    return this.#database
      .prepare('SELECT * FROM backing_keys WHERE key_id = ? ORDER BY generation')
      .all(keyId)
      .map((found) => {
        const row = backingKeyRow.parse(found)
        const owner = belongsTo(keyId, row.backing_key_id, row.generation)
        const secret = this.#rootKey.unseal(row.sealed_secret, owner)
        if (secret === undefined) throw altered(owner)
        return new BackingKey(row.backing_key_id, secret)
      })
  }
}

/** The generation is in it: it decides which backing key encrypts, so an old one must not be made the newest. */
function belongsTo(keyId: string, backingKeyId: string, generation: number): string {
  return `backing key ${backingKeyId}, generation ${generation} of key ${keyId}`
}

function fail(message: string): never {
  throw new Error(message)
}
