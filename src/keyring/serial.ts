/** Runs one piece of work after the other, in the order they came. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

/** Whoever asks while the work for that name is under way gets the result of that. */
export class SingleFlight<K, T> {
  readonly #underWay = new Map<K, Promise<T>>()

  run(name: K, work: () => Promise<T>): Promise<T> {
    const known = this.#underWay.get(name)
    if (known !== undefined) return known
    const result = work().finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, result)
    return result
  }
}
