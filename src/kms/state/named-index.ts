/** Things with a unique id and a unique name, in memory. Two names differ in more than case. */
export class NamedIndex<Item extends object> {
  readonly #idOf: (item: Item) => string
  readonly #nameOf: (item: Item) => string
  readonly #byId = new Map<string, Item>()
  readonly #byName = new Map<string, Item>()

  constructor(idOf: (item: Item) => string, nameOf: (item: Item) => string) {
    this.#idOf = idOf
    this.#nameOf = nameOf
  }

  get size(): number {
    return this.#byId.size
  }

  withId(id: string): Item | undefined {
    return this.#byId.get(id)
  }

  named(name: string): Item | undefined {
    return this.#byName.get(name.toLowerCase())
  }

  /** Takes the place of the item that has its id. */
  put(item: Item): void {
    this.delete(item)
    this.#byId.set(this.#idOf(item), item)
    this.#byName.set(this.#nameOf(item).toLowerCase(), item)
  }

  delete(item: Item): void {
    const known = this.#byId.get(this.#idOf(item))
    if (known === undefined) return
    this.#byId.delete(this.#idOf(known))
    this.#byName.delete(this.#nameOf(known).toLowerCase())
  }

  /** In no order. */
  all(): Item[] {
    return [...this.#byId.values()]
  }
}
