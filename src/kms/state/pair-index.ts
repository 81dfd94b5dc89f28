/** Pairs of ids, found from either side. */
export class PairIndex {
  readonly #byLeft = new Map<string, Set<string>>()
  readonly #byRight = new Map<string, Set<string>>()

  add(left: string, right: string): void {
    insert(this.#byLeft, left, right)
    insert(this.#byRight, right, left)
  }

  delete(left: string, right: string): void {
    remove(this.#byLeft, left, right)
    remove(this.#byRight, right, left)
  }

  has(left: string, right: string): boolean {
    return this.#byLeft.get(left)?.has(right) === true
  }

  rightOf(left: string): readonly string[] {
    return [...(this.#byLeft.get(left) ?? [])]
  }

  leftOf(right: string): readonly string[] {
    return [...(this.#byRight.get(right) ?? [])]
  }
}

function insert(index: Map<string, Set<string>>, from: string, to: string): void {
  const known = index.get(from)
  if (known === undefined) index.set(from, new Set([to]))
  else known.add(to)
}

function remove(index: Map<string, Set<string>>, from: string, to: string): void {
  const known = index.get(from)
  known?.delete(to)
  if (known?.size === 0) index.delete(from)
}
