import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import type { RootKey } from '../seal/root-key.ts'
import { aliasTag, isRightAlias, parseAliasRow } from './alias-rows.ts'

export interface Alias {
  /** Starts with `alias/`. */
  readonly aliasName: string
  readonly keyId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface Written {
  readonly aliasName: string
  readonly keyId: string
  readonly createdAt: number
  readonly updatedAt: number
}

const noNames: ReadonlySet<string> = new Set()

/** The second names of the master keys of one region; which name is whose is in memory. One that was altered is none. */
export class Aliases {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #region: string
  readonly #keyIds = new Map<string, string>()
  readonly #namesOfKey = new Map<string, Set<string>>()

  constructor(database: DatabaseSync, rootKey: RootKey, { region, log }: { region: string; log: Logger }) {
    this.#database = database
    this.#rootKey = rootKey
    this.#region = region
    for (const found of database.prepare('SELECT * FROM aliases WHERE region = ?').iterate(region)) {
      const row = parseAliasRow(found)
      if (isRightAlias(row, rootKey)) this.#remember(row.alias_name, row.key_id)
      else log.error({ region, aliasName: row.alias_name }, 'a stored alias was altered, so it names no key')
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
    this.#write({ aliasName, keyId, createdAt: now, updatedAt: now })
    this.#remember(aliasName, keyId)
  }

  /** From then on the alias means another key. */
  update(aliasName: string, keyId: string): void {
    const { created_at: createdAt } = parseAliasRow(
      this.#database
        .prepare('SELECT * FROM aliases WHERE region = ? AND alias_name = ?')
        .get(this.#region, aliasName),
    )
    this.#write({ aliasName, keyId, createdAt, updatedAt: Date.now() })
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
      const row = parseAliasRow(found)
      return {
        aliasName: row.alias_name,
        keyId: row.key_id,
        createdAt: new Date(row.created_at),
        updatedAt: new Date(row.updated_at),
      }
    })
  }

  /** In the place of one that was altered, if there is one. */
  #write({ aliasName, keyId, createdAt, updatedAt }: Written): void {
    const row = {
      region: this.#region,
      alias_name: aliasName,
      key_id: keyId,
      created_at: createdAt,
      updated_at: updatedAt,
    }
    this.#database
      .prepare(
        'INSERT OR REPLACE INTO aliases (region, alias_name, key_id, created_at, updated_at, tag) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(this.#region, aliasName, keyId, createdAt, updatedAt, aliasTag(row, this.#rootKey))
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
