import type { Examined } from './examined.ts'
import type { Outcome } from './finding.ts'

/** One thing that doctor looks for. It reads what was gathered; it changes nothing, anywhere. */
export interface Check {
  /** What it is about, for "not checked: …": "credentials in the data directory". */
  readonly about: string
  readonly run: (examined: Examined) => Outcome
}
