import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { RootKey } from '../seal/root-key.ts'

const aliasRow = z.object({
  region: z.string(),
  alias_name: z.string(),
  key_id: z.string(),
  created_at: z.number(),
  updated_at: z.number(),
  tag: z.instanceof(Uint8Array).nullable(),
})

export type AliasRow = z.infer<typeof aliasRow>

export function parseAliasRow(found: unknown): AliasRow {
  return aliasRow.parse(found)
}

/**
 * A tag over which key a name stands for: whoever can write the database, and has not the root key, can't have what is
 * encrypted under a name encrypted under a key of his choice.
 */
export function aliasTag(row: Omit<AliasRow, 'tag'>, rootKey: RootKey): Buffer {
  return rootKey.tag(owner(row), content(row))
}

export function isRightAlias(row: AliasRow, rootKey: RootKey): boolean {
  return row.tag !== null && rootKey.isTag(row.tag, owner(row), content(row))
}

/** For aliases from before there were tags: called once, when such a database is brought to the newest schema. */
export function tagFirstAliases(database: DatabaseSync, rootKey: RootKey): void {
  const update = database.prepare('UPDATE aliases SET tag = ? WHERE region = ? AND alias_name = ?')
  for (const row of database.prepare('SELECT * FROM aliases').all().map(parseAliasRow)) {
    update.run(aliasTag(row, rootKey), row.region, row.alias_name)
  }
}

function owner({ region, alias_name: name }: Omit<AliasRow, 'tag'>): string {
  return `alias ${name} in ${region}`
}

function content(row: Omit<AliasRow, 'tag'>): Buffer {
  return Buffer.from(JSON.stringify([row.key_id, row.created_at, row.updated_at]), 'utf8')
}
