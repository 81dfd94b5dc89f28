import type { DataKey } from './data-key.ts'

/** Who is told what happens to a keyring, at once and in the order in which it happens. */
export interface KeyringWatcher {
  /** A key that is held from now on, and is the latest of its id. */
  newLatest(key: DataKey): void
  /** Another keyring has taken the place of the former, whose keys are zeroed. */
  replaced(): void
}

export class Watchers {
  readonly #watchers = new Set<KeyringWatcher>()

  /** Until the function is called that it returns. */
  add(watcher: KeyringWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  tell(what: (watcher: KeyringWatcher) => void): void {
    for (const watcher of [...this.#watchers]) what(watcher)
  }
}
