import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { z } from 'zod'
import type { RootKey } from '../../seal/root-key.ts'
import {
  keyColumns,
  type KeyRecord,
  type KeyRow,
  materialColumns,
  type MaterialRow,
  parseKeyRow,
  parseMaterialRow,
  unreadableRecord,
} from './key-record.ts'
import { isUnreadable } from '../unreadable.ts'
import { isStateTag, stateTag } from './state-tag.ts'

/** The key's own last: the others refer to it. */
const tablesOfKeys = ['aliases', 'grants', 'import_parameters', 'key_usage', 'backing_keys', 'keys']

const regionRow = z.object({ region: z.string() })
const keyIdRow = z.object({ key_id: z.string() })

/** A key's record as it was read. */
export interface ReadRecord extends KeyRecord {
  /** False: somebody altered it, or the root key is another. */
  readonly isRight: boolean
}

/** The master keys of all regions, as rows. Everything is written with a new tag; see `stateTag`. */
export class KeyRecords {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #statements: Statements

  constructor(database: DatabaseSync, rootKey: RootKey) {
    this.#database = database
    this.#rootKey = rootKey
    this.#statements = prepareStatements(database)
  }

  /** A row that was written over with what no release writes is as good as altered. */
  read(region: string, keyId: string): ReadRecord | undefined {
    try {
      return this.readUndamaged(region, keyId)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return { ...unreadableRecord(region, keyId), isRight: false }
    }
  }

  /** As `read`; throws when the rows can't be understood. */
  readUndamaged(region: string, keyId: string): ReadRecord | undefined {
    const found = this.#statements.readKey.get(region, keyId)
    if (found === undefined) return undefined
    const { row, stateTag: tag } = parseKeyRow(found)
    const materials = this.#statements.readMaterials.all(region, keyId).map(parseMaterialRow)
    return { row, materials, isRight: isStateTag(tag, { row, materials }, this.#rootKey) }
  }

  /** Of a multi-Region key, wherever there is one of that id; in the order of the regions' names. */
  readRelated(keyId: string): ReadRecord[] {
    return this.regionsOf(keyId).flatMap((region) => this.read(region, keyId) ?? [])
  }

  regionsOf(keyId: string): string[] {
    return this.#statements.regionsOf.all(keyId).map((found) => regionRow.parse(found).region)
  }

  /** Whether there is, or was, a key of this id in any region. */
  isKnown(keyId: string): boolean {
    return this.regionsOf(keyId).length > 0 || this.#statements.readDeleted.get(keyId) !== undefined
  }

  list(region: string, page: { after: string; limit: number }): string[] {
    return this.#statements.list
      .all(region, page.after, page.limit)
      .map((found) => keyIdRow.parse(found).key_id)
  }

  insert(record: KeyRecord): void {
    const { row } = record
    this.#statements.insertKey.run(row.region, row.key_id, ...valuesOf(row), stateTag(record, this.#rootKey))
    for (const material of record.materials) this.#write(row, material)
  }

  /** Writes what `after` has other than `before`. */
  replace(before: KeyRecord, after: KeyRecord): void {
    const { row } = after
    this.#statements.updateKey.run(...valuesOf(row), stateTag(after, this.#rootKey), row.region, row.key_id)
    for (const material of after.materials)
      if (!before.materials.includes(material)) this.#write(row, material)
    const left = new Set(after.materials.map(({ backing_key_id: id }) => id))
    for (const { backing_key_id: id } of before.materials) {
      if (!left.has(id)) this.#statements.deleteMaterial.run(row.region, row.key_id, id)
    }
  }

  /** Removes a key and all that hangs on it. What stays is that there was one. */
  delete(region: string, keyId: string, deletedAt: number): void {
    for (const table of tablesOfKeys) {
      this.#database.prepare(`DELETE FROM ${table} WHERE region = ? AND key_id = ?`).run(region, keyId)
    }
    this.#database
      .prepare('INSERT OR REPLACE INTO deleted_keys (region, key_id, deleted_at) VALUES (?, ?, ?)')
      .run(region, keyId, deletedAt)
  }

  #write(row: KeyRow, material: MaterialRow): void {
    this.#statements.writeMaterial.run(row.region, row.key_id, ...materialValuesOf(material))
  }
}

interface Statements {
  readonly readKey: StatementSync
  readonly readMaterials: StatementSync
  readonly regionsOf: StatementSync
  readonly readDeleted: StatementSync
  readonly list: StatementSync
  readonly insertKey: StatementSync
  readonly updateKey: StatementSync
  readonly writeMaterial: StatementSync
  readonly deleteMaterial: StatementSync
}

function prepareStatements(database: DatabaseSync): Statements {
  const prepare = (sql: string): StatementSync => database.prepare(sql)
  const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ')
  const allMaterialColumns = ['region', 'key_id', ...materialColumns]
  return {
    readKey: prepare('SELECT * FROM keys WHERE region = ? AND key_id = ?'),
    readMaterials: prepare('SELECT * FROM backing_keys WHERE region = ? AND key_id = ? ORDER BY generation'),
    regionsOf: prepare('SELECT region FROM keys WHERE key_id = ? ORDER BY region'),
    readDeleted: prepare('SELECT 1 FROM deleted_keys WHERE key_id = ?'),
    list: prepare('SELECT key_id FROM keys WHERE region = ? AND key_id > ? ORDER BY key_id LIMIT ?'),
    insertKey: prepare(
      `INSERT INTO keys (region, key_id, ${keyColumns.join(', ')}, state_tag) VALUES (${marks(keyColumns.length + 3)})`,
    ),
    updateKey: prepare(
      `UPDATE keys SET ${keyColumns.map((name) => `${name} = ?`).join(', ')}, state_tag = ? WHERE region = ? AND key_id = ?`,
    ),
    writeMaterial: prepare(
      `INSERT INTO backing_keys (${allMaterialColumns.join(', ')}) VALUES (${marks(allMaterialColumns.length)}) ` +
        `ON CONFLICT (region, key_id, backing_key_id) DO UPDATE SET ${materialColumns
          .map((name) => `${name} = excluded.${name}`)
          .join(', ')}`,
    ),
    deleteMaterial: prepare(
      'DELETE FROM backing_keys WHERE region = ? AND key_id = ? AND backing_key_id = ?',
    ),
  }
}

function valuesOf(row: KeyRow): SQLInputValue[] {
  const values = new Map<string, SQLInputValue>(Object.entries(row))
  return keyColumns.map((name) => values.get(name) ?? null)
}

function materialValuesOf(material: MaterialRow): SQLInputValue[] {
  const values = new Map<string, SQLInputValue>(Object.entries(material))
  return materialColumns.map((name) => values.get(name) ?? null)
}
