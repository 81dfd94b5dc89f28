import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { z } from 'zod'
import { LastUses } from './last-uses.ts'

/** When a role's temporary credentials last signed a request, and for which region. */
export interface RoleUse {
  readonly at: Date
  readonly region: string
}

const usageColumns = z.object({
  last_used_at: z.number().nullable(),
  last_used_region: z.string().nullable(),
})

/** When the roles were last used. */
export class RoleUsage {
  readonly #database: DatabaseSync
  readonly #uses: LastUses<RoleUse>

  constructor(database: DatabaseSync, log: Logger) {
    this.#database = database
    const statement = database.prepare(
      'UPDATE roles SET last_used_at = ?, last_used_region = ? WHERE role_id = ?',
    )
    this.#uses = new LastUses(database, log, (roleId, use) => {
      statement.run(use.at.getTime(), use.region, roleId)
    })
  }

  /** To be called when the signature was right. Touches memory alone. */
  note(roleId: string, use: RoleUse): void {
    this.#uses.note(roleId, use)
  }

  /** Undefined when it was never used. */
  lastOf(roleId: string): RoleUse | undefined {
    return this.#uses.unsaved(roleId) ?? this.#stored(roleId)
  }

  /** Stores what is not stored yet. */
  close(): void {
    this.#uses.close()
  }

  #stored(roleId: string): RoleUse | undefined {
    const found = this.#database
      .prepare('SELECT last_used_at, last_used_region FROM roles WHERE role_id = ?')
      .get(roleId)
    if (found === undefined) return undefined
    const { last_used_at: at, last_used_region: region } = usageColumns.parse(found)
    return at === null || region === null ? undefined : { at: new Date(at), region }
  }
}
