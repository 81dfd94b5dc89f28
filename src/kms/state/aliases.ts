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

const noNames: ReadonlySet<string> = new Set()

/** The second names of the master keys of one region; which name is whose is in memory. */
export class Aliases {
  readonly #database: DatabaseSync
  readonly #region: string
  readonly #keyIds = new Map<string, string>()
  readonly #namesOfKey = new Map<string, Set<string>>()

  constructor(database: DatabaseSync, region: string) {
    this.#database = database
    this.#region = region
    for (const found of database.prepare('SELECT * FROM aliases WHERE region = ?').iterate(region)) {
      const row = aliasRow.parse(found)
      this.#remember(row.alias_name, row.key_id)
    }
  }

  has(aliasName: string): boolean {
    return this.#keyIds.has(aliasName)
  }

  keyIdOf(aliasName: string): string | undefined {
    return this.#keyIds.get(aliasName)
  }

  /** The names of one key, in no order. */
  ofKey(keyId: string): ReadonlySet<string> {
    return this.#namesOfKey.get(keyId) ?? noNames
  }

  create(aliasName: string, keyId: string): void {
    const now = Date.now()
    this.#database
      .prepare(
        'INSERT INTO aliases (region, alias_name, key_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?)',
      )
      .run(this.#region, aliasName, keyId, now, now)
    this.#remember(aliasName, keyId)
  }

  /** From then on the alias means another key. */
  update(aliasName: string, keyId: string): void {
    this.#database
      .prepare('UPDATE aliases SET key_id = ?, updated_at = ? WHERE region = ? AND alias_name = ?')
      .run(keyId, Date.now(), this.#region, aliasName)
    this.#forget(aliasName)
    this.#remember(aliasName, keyId)
  }

  delete(aliasName: string): void {
    this.#database
      .prepare('DELETE FROM aliases WHERE region = ? AND alias_name = ?')
      .run(this.#region, aliasName)
    this.#forget(aliasName)
  }

  /** For when a key is gone, with its rows of the table. */
  forgetKey(keyId: string): void {
    for (const aliasName of this.ofKey(keyId)) this.#keyIds.delete(aliasName)
    this.#namesOfKey.delete(keyId)
  }

  /** In the order of their names, from the first after `after`; all, or those of one key. */
  list(page: { keyId: string | undefined; after: string; limit: number }): Alias[] {
    return this.#rows(page).map((found) => {
      const row = aliasRow.parse(found)
      return {
        aliasName: row.alias_name,
        keyId: row.key_id,
        createdAt: new Date(row.created_at),
        updatedAt: new Date(row.updated_at),
      }
    })
  }

  /** Two queries, so that each finds its rows by an index. */
  #rows({ keyId, after, limit }: { keyId: string | undefined; after: string; limit: number }): unknown[] {
    if (keyId === undefined) {
      return this.#database
        .prepare('SELECT * FROM aliases WHERE region = ? AND alias_name > ? ORDER BY alias_name LIMIT ?')
        .all(this.#region, after, limit)
    }
    return this.#database
      .prepare(
        'SELECT * FROM aliases WHERE region = ? AND key_id = ? AND alias_name > ? ORDER BY alias_name LIMIT ?',
      )
      .all(this.#region, keyId, after, limit)
  }

  #remember(aliasName: string, keyId: string): void {
    this.#keyIds.set(aliasName, keyId)
    const names = this.#namesOfKey.get(keyId)
    if (names === undefined) this.#namesOfKey.set(keyId, new Set([aliasName]))
    else names.add(aliasName)
  }

  #forget(aliasName: string): void {
    const keyId = this.#keyIds.get(aliasName)
    if (keyId === undefined) return
    this.#keyIds.delete(aliasName)
    const names = this.#namesOfKey.get(keyId)
    names?.delete(aliasName)
    if (names?.size === 0) this.#namesOfKey.delete(keyId)
  }
}
