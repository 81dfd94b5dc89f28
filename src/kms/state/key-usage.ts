import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { z } from 'zod'
import { LastUses } from './last-uses.ts'

/** The last successful cryptographic operation with a key. */
export interface KeyUse {
  /** As Amazon names it: `Decrypt`; `ReEncrypt` for both of its keys. */
  readonly operation: string
  readonly at: Date
  /** Of the audit trail's record. */
  readonly eventId: string
  readonly requestId: string
}

const usageRow = z.object({
  used_at: z.number(),
  operation: z.string(),
  event_id: z.string(),
  request_id: z.string(),
})
const serviceRow = z.object({ key_usage_since: z.number() })

/** For what each key of one region was last used. */
export class KeyUsage {
  /** Uses before were not recorded. */
  readonly since: Date
  readonly #database: DatabaseSync
  readonly #region: string
  readonly #uses: LastUses<KeyUse>

  constructor(database: DatabaseSync, region: string, log: Logger) {
    this.#database = database
    this.#region = region
    this.since = new Date(
      serviceRow.parse(database.prepare('SELECT key_usage_since FROM service').get()).key_usage_since,
    )
    const statement = database.prepare(
      'INSERT INTO key_usage (region, key_id, used_at, operation, event_id, request_id) VALUES (?, ?, ?, ?, ?, ?) ' +
        'ON CONFLICT DO UPDATE SET used_at = excluded.used_at, operation = excluded.operation, ' +
        'event_id = excluded.event_id, request_id = excluded.request_id',
    )
    this.#uses = new LastUses(database, log, (keyId, use) => {
      statement.run(region, keyId, use.at.getTime(), use.operation, use.eventId, use.requestId)
    })
  }

  /** To be called when the operation has succeeded. Touches memory alone. */
  note(
    key: { readonly keyId: string },
    operation: string,
    call: { readonly receivedAt: Date; readonly eventId: string; readonly requestId: string },
  ): void {
    const { receivedAt: at, eventId, requestId } = call
    this.#uses.note(key.keyId, { operation, at, eventId, requestId })
  }

  lastOf(keyId: string): KeyUse | undefined {
    return this.#uses.unsaved(keyId) ?? this.#stored(keyId)
  }

  /** For when a key is gone. */
  forgetKey(keyId: string): void {
    this.#uses.forget(keyId)
    this.#database.prepare('DELETE FROM key_usage WHERE region = ? AND key_id = ?').run(this.#region, keyId)
  }

  /** Stores what is not stored yet. */
  close(): void {
    this.#uses.close()
  }

  #stored(keyId: string): KeyUse | undefined {
    const found = this.#database
      .prepare('SELECT * FROM key_usage WHERE region = ? AND key_id = ?')
      .get(this.#region, keyId)
    if (found === undefined) return undefined
    const row = usageRow.parse(found)
    return {
      operation: row.operation,
      at: new Date(row.used_at),
      eventId: row.event_id,
      requestId: row.request_id,
    }
  }
}
