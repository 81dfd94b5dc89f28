import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { findPrincipals } from '../../policy/bound-principals.ts'
import { parseStoredKeyPolicy } from '../../policy/document.ts'
import type { RootKey } from '../../seal/root-key.ts'
import { IdentityTags } from '../identity-tags.ts'
import { Users } from '../users.ts'
import type { MaterialRow } from './key-record.ts'
import { KeyRecords } from './key-records.ts'
import { writeTexts } from '../texts-column.ts'

const names = z.array(z.object({ region: z.string(), key_id: z.string() }))

/**
 * For keys from before there were tags over their rows, and unique ids beside the names in their policies: called once,
 * when such a database is brought to the newest schema. Whoever has a name that a policy holds is taken to be meant.
 */
export function tagFirstKeys(database: DatabaseSync, rootKey: RootKey, accountId: string): void {
  const records = new KeyRecords(database, rootKey)
  const users = new Users(database, accountId, new IdentityTags(database, rootKey))
  const lookup = { withArn: (arn: string) => users.withArn(arn)?.userId, roleNamed: () => undefined }
  for (const name of names.parse(database.prepare('SELECT region, key_id FROM keys').all())) {
    const record = records.readUndamaged(name.region, name.key_id)
    if (record === undefined) continue
    const { ids } = findPrincipals(parseStoredKeyPolicy(record.row.policy, ignore), lookup)
    const row = { ...record.row, policy_principals: writeTexts(ids) }
    // The newest encrypts; the columns that say so are new.
    const materials = record.materials.map((one, index) =>
      index < record.materials.length - 1 ? retired(one) : one,
    )
    records.replace(record, { row, materials })
  }
}

function retired(material: MaterialRow): MaterialRow {
  return { ...material, state: 'NON_CURRENT' }
}

/** It is told again whenever the key is read. */
function ignore(): void {
  // Nothing to do: such a policy names nobody.
}
