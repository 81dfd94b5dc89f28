/**
 * The most steps that the policies of one request may take, about one character compared each; some 50 ms. All the
 * policies of a user who has as many as IAM allows take a small part of it, unless they are made to be slow: those would
 * take seconds. What `requireQuickConditions` lets into one policy fits in, unless a variable puts a long text into it.
 */
const maxSteps = 2 ** 24

/** What judging a request has cost so far. */
export class Effort {
  #left = maxSteps

  /** Throws TooMuchEffort when there are no steps left. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new TooMuchEffort()
  }

  /** For what the engine does with a whole text at a time: to compare or to copy it. */
  spendOnText(text: string): void {
    this.spend(1 + (text.length >> 4))
  }
}

export class TooMuchEffort extends Error {
  constructor() {
    super('the policies of a request take too many steps')
    this.name = 'TooMuchEffort'
  }
}
