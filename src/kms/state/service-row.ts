import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import type { Account } from '../arn.ts'
import type { RootKey } from '../seal/root-key.ts'

const checkText = 'strongroom kms'
const belongsTo = 'service'

const serviceRow = z.object({
  account_id: z.string(),
  region: z.string(),
  sealed_check: z.instanceof(Uint8Array),
})

/** The one row that says whose database this is. `sealed_check` tells a wrong root key at the start. */
export function writeServiceRow(database: DatabaseSync, rootKey: RootKey, account: Account): void {
  database
    .prepare(
      'INSERT INTO service (only, account_id, region, sealed_check, created_at) VALUES (1, ?, ?, ?, ?)',
    )
    .run(account.accountId, account.region, rootKey.seal(Buffer.from(checkText), belongsTo), Date.now())
}

export function readAccount(database: DatabaseSync): Account {
  const row = readServiceRow(database)
  return { accountId: row.account_id, region: row.region }
}

/** Throws `SR_KMS_ROOT_KEY_WRONG` when the database was sealed by another root key. */
export function checkRootKey(database: DatabaseSync, rootKey: RootKey, rootKeyPath: string): void {
  const opened = rootKey.unseal(readServiceRow(database).sealed_check, belongsTo)
  if (opened?.toString() !== checkText) {
    throw new StrongroomError(
      'SR_KMS_ROOT_KEY_WRONG',
      `${rootKeyPath} is not the root key of this database: bring the two back from the same backup`,
    )
  }
}

function readServiceRow(database: DatabaseSync): z.infer<typeof serviceRow> {
  return serviceRow.parse(database.prepare('SELECT * FROM service').get())
}
