import type { StrongroomError } from '../errors.ts'
import type { Log } from './log.ts'

const tellAgainAfter = 60_000
const idsRemembered = 1000

/** Tells once why a key id is not created; MariaDB asks several times for one statement (rule K10). */
export class RefusalLog {
  readonly #log: Log
  readonly #told = new Map<number, { reason: string; at: number }>()

  constructor(log: Log) {
    this.#log = log
  }

  tell(keyId: number, error: StrongroomError | undefined, why: string): void {
    const reason = error?.code ?? why
    const last = this.#told.get(keyId)
    if (last?.reason === reason && Date.now() - last.at < tellAgainAfter) return
    if (this.#told.size >= idsRemembered) this.#told.clear()
    this.#told.set(keyId, { reason, at: Date.now() })
    this.#log.error(
      { keyId, version: 1, code: error?.code },
      `key ${keyId}, version 1 is not created: ${why}`,
    )
  }

  forget(keyId: number): void {
    this.#told.delete(keyId)
  }
}
