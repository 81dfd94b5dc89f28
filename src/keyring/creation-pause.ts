import type { StrongroomError } from '../errors.ts'

const firstPause = 250
const longestPause = 2000
const idsRemembered = 1000

/** Between two attempts at making the same key: a client that asks in a loop must not become a loop of KMS calls. */
export class CreationPause {
  readonly #failed = new Map<number, { error: StrongroomError; pause: number; until: number }>()

  /** Throws the last error as long as the pause lasts. */
  requireOver(keyId: number): void {
    const last = this.#failed.get(keyId)
    if (last !== undefined && performance.now() < last.until) throw last.error
  }

  failed(keyId: number, error: StrongroomError): void {
    const pause = Math.min(longestPause, (this.#failed.get(keyId)?.pause ?? firstPause / 2) * 2)
    if (this.#failed.size >= idsRemembered) this.#failed.clear()
    this.#failed.set(keyId, { error, pause, until: performance.now() + pause })
  }

  succeeded(keyId: number): void {
    this.#failed.delete(keyId)
  }
}
