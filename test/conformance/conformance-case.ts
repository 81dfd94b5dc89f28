import type { World } from './world.ts'

/** One promise of Amazon's documentation, as a question that can be put to a service. */
export interface ConformanceCase {
  readonly operation: string
  /** What of the operation is asked about. */
  readonly topic: 'key state' | 'naming' | 'encryption context' | 'rights' | 'bounds' | 'token'
  /** In few words, such as `Disabled` or `alias ARN`; with operation and topic it names the case. */
  readonly variation: string
  /** `ok`, or the name of the exception that the documentation gives. */
  readonly outcome: string
  /** The page that says so. */
  readonly source: string
  /** Puts the question; resolves to what came: `ok`, or the exception's name. */
  readonly ask: (world: World) => Promise<string>
}

/** The page of an operation in Amazon's API reference. */
export function apiPage(operation: string): string {
  return `https://docs.aws.amazon.com/kms/latest/APIReference/API_${operation}.html`
}
