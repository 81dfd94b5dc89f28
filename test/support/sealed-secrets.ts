import { createPrivateKey } from 'node:crypto'
import { chainKeyPurpose } from '../../src/kms/audit/chain.ts'
import { sealedColumns } from '../../src/kms/backup/sealed-columns.ts'
import type { SealHelp } from '../../src/kms/seal/seal.ts'
import { openDataDirectory } from '../../src/kms/state/data-directory.ts'
import type { SecretSearch } from './secret-search.ts'

/**
 * For tests: has everything looked for that a data directory holds sealed, and what seals it. Returns how many secrets
 * each table has. The service must not run.
 */
export async function addSealedSecrets(
  directory: string,
  search: SecretSearch,
  help: SealHelp = {},
): Promise<Record<string, number>> {
  const data = await openDataDirectory(directory, help)
  const { database, rootKey } = data
  try {
    search.add('root key', rootKey.copy())
    search.add('key of the audit trail', rootKey.derive(chainKeyPurpose))
    search.add('key of the tags', rootKey.derive('strongroom kms: tags of rows'))
    const counts: Record<string, number> = {}
    for (const sealedColumn of sealedColumns) {
      const { table, column } = sealedColumn
      // What it seals is the same in every database.
      if (table === 'service') continue
      for (const row of database.prepare(`SELECT * FROM ${table} WHERE ${column} IS NOT NULL`).all()) {
        const sealed = row[column]
        if (!(sealed instanceof Uint8Array)) throw new Error(`${table}.${column} holds no bytes`)
        const secret = rootKey.unseal(sealed, sealedColumn.owner(row))
        if (secret === undefined) throw new Error(`a row of ${table} can't be unsealed`)
        counts[table] = (counts[table] ?? 0) + 1
        for (const part of secretParts(column, secret)) search.add(`${table} ${counts[table]}`, part)
      }
    }
    return counts
  } finally {
    data.close()
  }
}

/** Of a private key what is not in the public key too. */
function secretParts(column: string, secret: Buffer): Buffer[] {
  if (column !== 'sealed_private_key') return [secret]
  const { d, p, q } = createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' }).export({
    format: 'jwk',
  })
  return [d, p, q].flatMap((part) => (part === undefined ? [] : Buffer.from(part, 'base64url')))
}
