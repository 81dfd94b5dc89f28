import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { migrations } from './schema.ts'

const schemaRow = z.object({ type: z.string(), name: z.string(), sql: z.string().nullable() })

/**
 * Whether tables and indexes are those of that version of the schema. SQLite's own check takes any that it can read for
 * right: a damaged byte in the name of a column would show when a statement fails, long after the start.
 */
export function hasSchemaOf(database: DatabaseSync, version: number): boolean {
  const right = new DatabaseSync(':memory:')
  try {
    for (const migration of migrations.slice(0, version)) right.exec(migration)
    return schemaOf(database) === schemaOf(right)
  } finally {
    right.close()
  }
}

function schemaOf(database: DatabaseSync): string {
  const rows = database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all()
  return JSON.stringify(rows.map((row) => schemaRow.parse(row)))
}
