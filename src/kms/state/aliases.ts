import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

export interface Alias {
  /** Starts with `alias/`. */
  readonly aliasName: string
  readonly keyId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

const aliasRow = z.object({
  alias_name: z.string(),
  key_id: z.string(),
  created_at: z.number(),
  updated_at: z.number(),
})

/** The second names of master keys. */
export class Aliases {
  readonly #database: DatabaseSync
  readonly #keyIds = new Map<string, string>()

  constructor(database: DatabaseSync) {
    this.#database = database
    for (const found of database.prepare('SELECT * FROM aliases').iterate()) {
      const row = aliasRow.parse(found)
      this.#keyIds.set(row.alias_name, row.key_id)
    }
  }

  has(aliasName: string): boolean {
    return this.#keyIds.has(aliasName)
  }

  keyIdOf(aliasName: string): string | undefined {
    return this.#keyIds.get(aliasName)
  }

  create(aliasName: string, keyId: string): void {
    const now = Date.now()
    this.#database
      .prepare('INSERT INTO aliases (alias_name, key_id, created_at, updated_at) VALUES (?, ?, ?, ?)')
      .run(aliasName, keyId, now, now)
    this.#keyIds.set(aliasName, keyId)
  }

  /** In the order of their names, from the first after `after`; all, or those of one key. */
  list(page: { keyId: string | undefined; after: string; limit: number }): Alias[] {
    return this.#database
      .prepare(
        'SELECT * FROM aliases WHERE alias_name > ?1 AND (?2 IS NULL OR key_id = ?2) ORDER BY alias_name LIMIT ?3',
      )
      .all(page.after, page.keyId ?? null, page.limit)
      .map((found) => {
        const row = aliasRow.parse(found)
        return {
          aliasName: row.alias_name,
          keyId: row.key_id,
          createdAt: new Date(row.created_at),
          updatedAt: new Date(row.updated_at),
        }
      })
  }
}
