import type { FindingCode } from './codes.ts'

/** Something that is wrong. No text of it ever holds a secret. */
export interface Finding {
  readonly code: FindingCode
  /** The file, variable, process, table or master key that it is about. */
  readonly where: string
  /** What is so, in one sentence. */
  readonly what: string
  /** What to do, beginning with a verb. */
  readonly remedy: string
}

/** What a check could not look at. It never counts as good. */
export interface NotChecked {
  readonly notChecked: string
}

/** What a check found: nothing is good. */
export type Outcome = readonly (Finding | NotChecked)[]

export function notChecked(reason: string): NotChecked {
  return { notChecked: reason }
}

export function isFinding(result: Finding | NotChecked): result is Finding {
  return 'code' in result
}
