import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrations } from '../state/schema.ts'
import { sealedColumns } from './sealed-columns.ts'

test('every sealed column of the schema is in the list', () => {
  const database = new DatabaseSync(':memory:')
  for (const migration of migrations) database.exec(migration)
  const inSchema = database
    .prepare(
      `SELECT tables.name || '.' || columns.name AS name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
      WHERE tables.type = 'table' AND columns.name LIKE 'sealed\\_%' ESCAPE '\\' ORDER BY 1`,
    )
    .all()
    .map(({ name }) => name)
  assert.deepEqual(sealedColumns.map(({ table, column }) => `${table}.${column}`).sort(), inSchema)
  assert.equal(inSchema.length, 7)
})
