import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Expectation, expectationsOf, testsToRun, unexpected } from '../mariadb-suite/expectations.ts'
import { testOf } from '../mariadb-suite/mtr-output.ts'
import type { SuiteName } from '../mariadb-suite/suite-names.ts'
import { runSuite } from '../mariadb-suite/suites.ts'
import { type ListenerName, throughEachListener } from '../support/each-listener.ts'

// MariaDB's own tests; `npm run test:mariadb-suite` runs all of them that are about encryption.

/** Each kind of thing that is encrypted, both kinds of keyring, other keys under the same data. */
const encryptionTests = [
  'aria_tiny',
  'bulk_insert',
  'encrypt_and_grep',
  'encryption_force',
  'innodb-discard-import-change',
  'innodb-read-only',
  'innodb_encryption_is',
  'innodb_page_encryption_key_change',
  'second_plugin-12863',
  'tempfiles_encrypted',
].map((name) => `encryption.${name}`)

test("MariaDB's suite vault, through the Vault listener", async (t) => {
  await runAsExpected(t, 'vault', 'vault', expectationsOf('vault', 'vault'))
})

throughEachListener((listener) => {
  test("ten tests of MariaDB's suite encryption", async (t) => {
    const expected = expectationsOf('encryption', listener)
    const chosen = expected.filter(({ name }) => encryptionTests.includes(testOf(name)))
    assert.equal(testsToRun(chosen).length, encryptionTests.length)
    await runAsExpected(t, 'encryption', listener, chosen)
  })
})

async function runAsExpected(
  t: TestContext,
  suite: SuiteName,
  listener: ListenerName,
  expected: readonly Expectation[],
): Promise<void> {
  const { results, output } = await runSuite({ suite, listener, tests: testsToRun(expected) })
  assert.ok(results.length > 0, output)
  for (const wanted of expected) {
    const result = results.find(({ name }) => name === wanted.name)
    await t.test(wanted.name, () => {
      assert.ok(result !== undefined, `was not run: ${output.slice(-2000)}`)
      assert.equal(result.outcome, wanted.outcome, result.details)
    })
  }
  assert.deepEqual(unexpected(expected, results), [])
}
