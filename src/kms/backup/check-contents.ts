import { timingSafeEqual } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { pino } from 'pino'
import { z } from 'zod'
import { messageOf, StrongroomError } from '../../errors.ts'
import { decryptBlob, encryptBlob, parseBlob } from '../ciphertext.ts'
import { systemClock } from '../clock.ts'
import type { RootKey } from '../seal/root-key.ts'
import { isRightAlias, parseAliasRow } from '../state/alias-rows.ts'
import { altered } from '../state/altered.ts'
import type { DataDirectory } from '../state/data-directory.ts'
import { Grants } from '../state/grants.ts'
import { IdentityTags } from '../state/identity-tags.ts'
import type { Key } from '../state/keys/key.ts'
import { KeyStore } from '../state/keys/key-store.ts'
import { type SealedColumn, sealedColumns } from './sealed-columns.ts'

/** How much was checked. */
export interface Checked {
  readonly secrets: number
  readonly keys: number
  readonly grants: number
}

/**
 * Checks all that a start leaves for later: the database as SQLite sees it, every sealed secret, every tag, and that
 * every key encrypts and decrypts. Throws SR_KMS_DATABASE_DAMAGED that names the first row that is wrong.
 */
export function checkContents(data: DataDirectory): Checked {
  try {
    return checkAll(data)
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    throw damaged(messageOf(error))
  }
}

function checkAll({ database, rootKey, account }: DataDirectory): Checked {
  checkIntegrity(database)
  new IdentityTags(database, rootKey).check()
  const secrets = sealedColumns.reduce((sum, column) => sum + unsealAll(database, rootKey, column), 0)
  const grants = checkGrants(database, rootKey)
  checkAliases(database, rootKey)
  const store = new KeyStore({
    database,
    rootKey,
    accountId: account.accountId,
    clock: systemClock,
    log: pino({ level: 'silent' }),
  })
  try {
    return { secrets, grants, keys: checkKeys(database, store) }
  } finally {
    store.zero()
  }
}

function checkIntegrity(database: DatabaseSync): void {
  const finding = z
    .object({ integrity_check: z.string() })
    .parse(database.prepare('PRAGMA integrity_check(1)').get()).integrity_check
  const broken = database.prepare('PRAGMA foreign_key_check').all().length
  if (finding === 'ok' && broken === 0) return
  throw damaged(
    finding === 'ok' ? `${String(broken)} of its rows refer to others that are not there` : finding,
  )
}

const blob = z.instanceof(Uint8Array).nullable()

function unsealAll(database: DatabaseSync, rootKey: RootKey, sealedColumn: SealedColumn): number {
  const { table, column } = sealedColumn
  let count = 0
  for (const row of database.prepare(`SELECT * FROM ${table}`).iterate()) {
    const sealed = blob.parse(row[column])
    if (sealed === null) continue
    const owner = sealedColumn.owner(row)
    const secret = rootKey.unseal(sealed, owner)
    if (secret === undefined) throw altered(owner)
    secret.fill(0)
    count += 1
  }
  return count
}

function checkAliases(database: DatabaseSync, rootKey: RootKey): void {
  for (const found of database.prepare('SELECT * FROM aliases').iterate()) {
    const row = parseAliasRow(found)
    if (!isRightAlias(row, rootKey)) throw altered(`the alias ${row.alias_name} in ${row.region}`)
  }
}

const keyRow = z.object({ region: z.string(), key_id: z.string() })

/** An altered row is not given out. */
function checkGrants(database: DatabaseSync, rootKey: RootKey): number {
  const log = pino({ level: 'silent' })
  const rows = database
    .prepare('SELECT region, key_id, count(*) AS grants FROM grants GROUP BY region, key_id')
    .all()
  let count = 0
  for (const row of rows) {
    const { region, key_id: keyId } = keyRow.parse(row)
    const { grants: stored } = z.object({ grants: z.number() }).parse(row)
    const right = [...new Grants(database, rootKey, { region, log }).ofKey(keyId, '')].length
    if (right !== stored) throw altered(`a grant on key ${keyId} in ${region}`)
    count += right
  }
  return count
}

function checkKeys(database: DatabaseSync, store: KeyStore): number {
  let count = 0
  for (const row of database.prepare('SELECT region, key_id FROM keys').iterate()) {
    const { region, key_id: keyId } = keyRow.parse(row)
    const record = store.records.read(region, keyId)
    if (record?.isRight !== true) throw altered(`state of key ${keyId} in ${region}`)
    const key = store.get({ region, keyId })
    if (key === undefined || !encryptsAndDecrypts(key))
      throw damaged(`the key ${keyId} in ${region} does not decrypt`)
    count += 1
  }
  return count
}

/** With each of its backing keys; imported key material may be missing. */
function encryptsAndDecrypts(key: Key): boolean {
  if (key.backingKeys.size === 0) return key.origin === 'EXTERNAL'
  return [...key.backingKeys.values()].every((backingKey) => {
    const plaintext = Buffer.from('a trial')
    const context = new Map([['trial', 'yes']])
    const sealed = encryptBlob({ keyId: key.keyId, backingKey }, plaintext, context)
    try {
      return timingSafeEqual(decryptBlob(parseBlob(sealed), backingKey, context), plaintext)
    } catch {
      return false
    }
  })
}

function damaged(what: string): StrongroomError {
  return new StrongroomError(
    'SR_KMS_DATABASE_DAMAGED',
    `the database is damaged (${what}): take another backup`,
  )
}
