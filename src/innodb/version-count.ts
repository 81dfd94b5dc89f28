/** A table is under a handful of key versions; a file that has more than this is no server's work. */
export const mostVersions = 1000

/** Counts pages by key version. What a file says is bounded by its size alone, and what we keep of it must not be. */
export class VersionCount {
  readonly #pages = new Map<number, number>()

  /** False: the file has named too many versions to be believed. */
  add(version: number): boolean {
    const known = this.#pages.get(version)
    if (known === undefined && this.#pages.size >= mostVersions) return false
    this.#pages.set(version, (known ?? 0) + 1)
    return true
  }

  /** By version, the oldest first. */
  get pages(): ReadonlyMap<number, number> {
    return new Map([...this.#pages].sort(([a], [b]) => a - b))
  }
}
