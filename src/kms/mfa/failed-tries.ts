/** So many wrong codes in a row cost nothing but the next try. */
const freeTries = 5
const firstPause = 60_000
const longestPause = 3_600_000

interface Failures {
  readonly count: number
  readonly pausedUntil: number
}

/**
 * Bounds how fast the codes of one device can be guessed: after 5 wrong ones in a row a minute's pause, doubled by each
 * further wrong one up to an hour. That leaves a guesser some 30 tries a day at 3 codes in a million. It is kept in
 * memory: a restart gives 5 tries more, and is not the guesser's to make.
 */
export class FailedTries {
  readonly #byDevice = new Map<string, Failures>()

  /** Until when no code of the device is looked at; undefined: it may be tried now. */
  pausedUntil(device: string, now: Date): Date | undefined {
    const until = this.#byDevice.get(device)?.pausedUntil ?? 0
    return until > now.getTime() ? new Date(until) : undefined
  }

  failed(device: string, now: Date): void {
    const count = (this.#byDevice.get(device)?.count ?? 0) + 1
    const pause = count < freeTries ? 0 : Math.min(firstPause * 2 ** (count - freeTries), longestPause)
    this.#byDevice.set(device, { count, pausedUntil: now.getTime() + pause })
  }

  forget(device: string): void {
    this.#byDevice.delete(device)
  }
}
