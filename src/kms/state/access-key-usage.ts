import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { z } from 'zod'
import { LastUses } from './last-uses.ts'

/** When an access key was last used to sign a request, and for which service and region. */
export interface AccessKeyUse {
  readonly at: Date
  /** `kms`, `iam` or `sts`. */
  readonly service: string
  readonly region: string
}

const usageColumns = z.object({
  last_used_at: z.number().nullable(),
  last_used_service: z.string().nullable(),
  last_used_region: z.string().nullable(),
})

/** When the access keys of users and of the root user were last used; not those of temporary credentials. */
export class AccessKeyUsage {
  readonly #database: DatabaseSync
  readonly #uses: LastUses<AccessKeyUse>

  constructor(database: DatabaseSync, log: Logger) {
    this.#database = database
    const statement = database.prepare(
      'UPDATE access_keys SET last_used_at = ?, last_used_service = ?, last_used_region = ? WHERE access_key_id = ?',
    )
    this.#uses = new LastUses(database, log, (accessKeyId, use) => {
      statement.run(use.at.getTime(), use.service, use.region, accessKeyId)
    })
  }

  /** To be called when the signature was right. Touches memory alone. */
  note(accessKeyId: string, use: AccessKeyUse): void {
    this.#uses.note(accessKeyId, use)
  }

  /** Undefined when it was never used. */
  lastOf(accessKeyId: string): AccessKeyUse | undefined {
    return this.#uses.unsaved(accessKeyId) ?? this.#stored(accessKeyId)
  }

  /** Stores what is not stored yet. */
  close(): void {
    this.#uses.close()
  }

  #stored(accessKeyId: string): AccessKeyUse | undefined {
    const found = this.#database
      .prepare(
        'SELECT last_used_at, last_used_service, last_used_region FROM access_keys WHERE access_key_id = ?',
      )
      .get(accessKeyId)
    if (found === undefined) return undefined
    const {
      last_used_at: at,
      last_used_service: service,
      last_used_region: region,
    } = usageColumns.parse(found)
    if (at === null || service === null || region === null) return undefined
    return { at: new Date(at), service, region }
  }
}
