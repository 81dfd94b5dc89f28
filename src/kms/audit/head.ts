import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { beginning, type ChainKey, type Position } from './chain.ts'

/**
 * The anchor of the trail: a record that is known to be on disk, kept apart from the trail's files. A chain alone can't
 * show that its end was cut off. It is written after the record, never before it, so that a crash leaves a head that
 * the trail reaches.
 */
export interface Head {
  /** `unset`: the trail was never opened. `forged`: it was not written by a holder of the key. */
  read(): Position | 'unset' | 'forged'
  /** `durably`: on disk when this returns; otherwise it may be lost in a power failure, and an older one stays. */
  write(position: Position, durably: boolean): void
}

const headRow = z.object({ sequence: z.number(), hash: z.string(), mac: z.string().nullable() })

export class DatabaseHead implements Head {
  readonly #database: DatabaseSync
  readonly #key: ChainKey

  constructor(database: DatabaseSync, key: ChainKey) {
    this.#database = database
    this.#key = key
  }

  read(): Position | 'unset' | 'forged' {
    const found = this.#database.prepare('SELECT sequence, hash, mac FROM audit_head').get()
    if (found === undefined) return 'forged'
    const { sequence, hash, mac } = headRow.parse(found)
    if (mac === null && sequence === beginning.sequence) return 'unset'
    return mac === macOf({ sequence, hash }, this.#key) ? { sequence, hash } : 'forged'
  }

  write({ sequence, hash }: Position, durably: boolean): void {
    // Without the sync of a commit this costs microseconds, and requests wait for it: there is one thread.
    this.#database.exec(`PRAGMA synchronous = ${durably ? 'FULL' : 'NORMAL'}`)
    try {
      this.#database
        .prepare('INSERT OR REPLACE INTO audit_head (only, sequence, hash, mac) VALUES (1, ?, ?, ?)')
        .run(sequence, hash, macOf({ sequence, hash }, this.#key))
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL')
    }
  }
}

/** Records begin with a brace: no MAC of a record can be taken for one of a head. */
function macOf({ sequence, hash }: Position, key: ChainKey): string {
  return key.macOf(`head ${sequence} ${hash}`)
}
