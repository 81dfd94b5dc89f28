import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { KeyName } from './key.ts'

const dueRow = z.object({ region: z.string(), key_id: z.string(), due: z.number() })
const expiryRow = dueRow.extend({ backing_key_id: z.string() })

/** A key and the time, in milliseconds since 1970, at which something is to be done about it. */
export interface Due extends KeyName {
  readonly due: number
}

/** What has to be done about master keys, and when, in all regions; the earliest first. A time before 1970 is none that was ever set. */
export class DueKeys {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  deletions(until: number): Due[] {
    return this.#due(
      'SELECT region, key_id, deletion_date AS due FROM keys WHERE deletion_date BETWEEN 0 AND ? ORDER BY deletion_date',
      until,
    )
  }

  /** A key that is not enabled is not rotated, and a replica only with its primary key. */
  rotations(until: number): Due[] {
    return this.#due(
      'SELECT region, key_id, rotation_due AS due FROM keys ' +
        "WHERE rotation_due BETWEEN 0 AND ? AND enabled = 1 AND deletion_date IS NULL AND pending_window_days IS NULL AND multi_region IS NOT 'REPLICA' " +
        'ORDER BY rotation_due',
      until,
    )
  }

  /** Key material, and when it expires. */
  expiries(until: number): (Due & { materialId: string })[] {
    return this.#database
      .prepare(
        'SELECT region, key_id, backing_key_id, expires_at AS due FROM backing_keys WHERE expires_at BETWEEN 0 AND ? ORDER BY expires_at',
      )
      .all(until)
      .map((found) => {
        const row = expiryRow.parse(found)
        return { ...nameOf(row), materialId: row.backing_key_id }
      })
  }

  #due(sql: string, until: number): Due[] {
    return this.#database
      .prepare(sql)
      .all(until)
      .map((found) => nameOf(dueRow.parse(found)))
  }
}

function nameOf(row: z.infer<typeof dueRow>): Due {
  return { region: row.region, keyId: row.key_id, due: row.due }
}
