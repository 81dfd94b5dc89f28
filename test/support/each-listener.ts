import { suite } from 'node:test'

export type ListenerName = 'vault' | 'plugin'

/** Declares the same tests once for each of the agent's listeners: a server notices no difference. */
export function throughEachListener(declare: (listener: ListenerName) => void): void {
  for (const listener of ['vault', 'plugin'] as const) {
    suite(`through the ${listener} listener`, () => {
      declare(listener)
    })
  }
}
