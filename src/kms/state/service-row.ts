import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import type { Account } from '../arn.ts'
import type { RootKey } from '../seal/root-key.ts'

/** Whose database it is. The id is empty in a database from before there were ids. */
export interface ServiceRow extends Account {
  readonly serviceId: string
}

const checkText = 'strongroom kms'

const serviceRow = z.object({
  account_id: z.string(),
  region: z.string(),
  sealed_check: z.instanceof(Uint8Array),
  service_id: z.string().default(''),
})

/** The one row that says whose database this is. `sealed_check` tells a wrong root key, and a changed row, at the start. */
export function writeServiceRow(database: DatabaseSync, rootKey: RootKey, service: ServiceRow): void {
  database
    .prepare(
      'INSERT INTO service (only, account_id, region, sealed_check, service_id, created_at) VALUES (1, ?, ?, ?, ?, ?)',
    )
    .run(
      service.accountId,
      service.region,
      rootKey.seal(Buffer.from(checkText), belongsTo(service)),
      service.serviceId,
      Date.now(),
    )
}

/** For a row that a migration gave an id. */
export function bindServiceRow(database: DatabaseSync, rootKey: RootKey): void {
  const sealed = rootKey.seal(Buffer.from(checkText), belongsTo(readService(database)))
  database.prepare('UPDATE service SET sealed_check = ?').run(sealed)
}

export function readService(database: DatabaseSync): ServiceRow {
  const row = readServiceRow(database)
  return { accountId: row.account_id, region: row.region, serviceId: row.service_id }
}

/** Throws `SR_KMS_ROOT_KEY_WRONG` when the database was sealed by another root key. */
export function checkRootKey(database: DatabaseSync, rootKey: RootKey, rootKeyFile: string): void {
  const opened = rootKey.unseal(readServiceRow(database).sealed_check, belongsTo(readService(database)))
  if (opened?.toString() !== checkText) {
    throw new StrongroomError(
      'SR_KMS_ROOT_KEY_WRONG',
      `${rootKeyFile} is not the root key of this database, or the row of the service in it was altered: ` +
        'bring the two back from the same backup',
    )
  }
}

/** Account and region are in it: they decide what the ARNs are, and so what policies say. */
export function belongsTo({ serviceId, accountId, region }: ServiceRow): string {
  return serviceId === '' ? 'service' : `service ${serviceId}, account ${accountId}, region ${region}`
}

function readServiceRow(database: DatabaseSync): z.infer<typeof serviceRow> {
  const { success, data } = serviceRow.safeParse(database.prepare('SELECT * FROM service').get())
  if (success) return data
  throw new StrongroomError(
    'SR_KMS_DATABASE_DAMAGED',
    'the row of the service in the database is missing or damaged: bring the database back from a backup',
  )
}
