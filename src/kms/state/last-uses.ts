import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { inTransaction } from './database.ts'

/** At most how old what is stored can be, when the process is killed. */
const saveEveryMs = 60_000
/** So many rows are written at a time: requests wait meanwhile. */
const rowsAtATime = 500
const pauseMs = 10

/**
 * Who or what was last used when: kept in memory, as it changes with every request, and stored at most once a minute
 * and when the service closes. A crash loses the last minute of it, no more.
 */
export class LastUses<Use> {
  readonly #database: DatabaseSync
  readonly #log: Logger
  readonly #store: (id: string, use: Use) => void
  readonly #unsaved = new Map<string, Use>()
  #timer: NodeJS.Timeout | undefined

  /** `store` writes one row. */
  constructor(database: DatabaseSync, log: Logger, store: (id: string, use: Use) => void) {
    this.#database = database
    this.#log = log
    this.#store = store
  }

  note(id: string, use: Use): void {
    this.#unsaved.set(id, use)
    this.#timer ??= this.#after(saveEveryMs, () => [...this.#unsaved.keys()])
  }

  /** Undefined: what is stored is the newest. */
  unsaved(id: string): Use | undefined {
    return this.#unsaved.get(id)
  }

  forget(id: string): void {
    this.#unsaved.delete(id)
  }

  /** Stores all that is not stored yet. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#save([...this.#unsaved.keys()])
  }

  /** The timer keeps no process running. */
  #after(delayMs: number, ids: () => string[]): NodeJS.Timeout {
    return setTimeout(() => {
      this.#saveInParts(ids())
    }, delayMs).unref()
  }

  /** Only what was used before the minute was over: what is used all the time would never be done with. */
  #saveInParts(ids: string[]): void {
    const rest = ids.slice(rowsAtATime)
    try {
      this.#save(ids.slice(0, rowsAtATime))
      this.#timer = rest.length > 0 ? this.#after(pauseMs, () => rest) : this.#nextMinute()
    } catch (error) {
      this.#log.error({ err: error }, 'cannot store what was last used when; trying again in a minute')
      this.#timer = this.#nextMinute()
    }
  }

  #nextMinute(): NodeJS.Timeout | undefined {
    if (this.#unsaved.size === 0) return undefined
    return this.#after(saveEveryMs, () => [...this.#unsaved.keys()])
  }

  /** In one transaction. */
  #save(ids: readonly string[]): void {
    const uses = ids.flatMap((id) => {
      const use = this.#unsaved.get(id)
      return use === undefined ? [] : [{ id, use }]
    })
    if (uses.length === 0) return
    inTransaction(this.#database, () => {
      for (const { id, use } of uses) this.#store(id, use)
    })
    for (const { id } of uses) this.#unsaved.delete(id)
  }
}
