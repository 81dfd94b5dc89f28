import type { TestEvent } from 'node:test/reporters'

/** What scripts/test.ts needs to know of a test run, one JSON value a line. */
export type SummaryLine =
  | { skipped: string; file: string; reason: string }
  | { counts: { passed: number; failed: number; skipped: number } }

/** A reporter for `node --test --test-reporter=…`: the skipped tests with their reasons, and the counts at the end. */
export default async function* testSummary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = summaryLine(event)
    if (line !== undefined) yield JSON.stringify(line) + '\n'
  }
}

function summaryLine(event: TestEvent): SummaryLine | undefined {
  if (event.type === 'test:pass' && event.data.skip !== undefined) {
    const { name, file = '', skip } = event.data
    return { skipped: name, file, reason: typeof skip === 'string' ? skip : 'no reason given' }
  }
  // A summary with a file is that file's; the one without is the run's.
  if (event.type === 'test:summary' && event.data.file === undefined) {
    const { tests, passed, skipped, todo } = event.data.counts
    return { counts: { passed, failed: tests - passed - skipped - todo, skipped: skipped + todo } }
  }
  return undefined
}
