import { timingSafeEqual } from 'node:crypto'
import { totpCode } from './totp.ts'

/** A range of time steps, both ends included. */
export interface Steps {
  readonly first: number
  readonly last: number
}

/**
 * The last step of the range whose code this is; undefined when there is none. Of two steps with the same code the
 * later one is taken, so that using it up uses up both.
 */
export function matchingStep(seed: Uint8Array, code: string, { first, last }: Steps): number | undefined {
  let found: number | undefined
  // All are tried, whichever fits, so that the time tells nothing.
  for (let step = first; step <= last; step++) {
    if (isCodeOf(seed, step, code)) found = step
  }
  return found
}

/** The last step whose code is `second` while `first` is that of the step before, with both steps in the range. */
export function matchingPair(
  seed: Uint8Array,
  codes: { first: string; second: string },
  { first, last }: Steps,
): number | undefined {
  let found: number | undefined
  for (let step = first + 1; step <= last; step++) {
    const firstFits = isCodeOf(seed, step - 1, codes.first)
    const secondFits = isCodeOf(seed, step, codes.second)
    if (firstFits && secondFits) found = step
  }
  return found
}

function isCodeOf(seed: Uint8Array, step: number, code: string): boolean {
  const expected = Buffer.from(totpCode(seed, step))
  const given = Buffer.from(code)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
