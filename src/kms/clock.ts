/** Where the time comes from, so that tests can set it. */
export interface Clock {
  now(): Date
  /** Milliseconds since some moment, whatever is done to the clock. */
  monotonic(): number
}

export const systemClock: Clock = { now: () => new Date(), monotonic: () => performance.now() }
