import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder of the test's own, gone when the test and all that it started has ended. */
export function scratchDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-test-'))
  context.after(() => {
    // Hooks run in the order in which they were made, and those made after this one end what still writes there.
    context.after(() => {
      rmSync(directory, { recursive: true, force: true })
    })
  })
  return directory
}
