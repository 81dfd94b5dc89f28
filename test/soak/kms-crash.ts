import assert from 'node:assert/strict'
import { test } from 'node:test'
import { surviveCrashes } from '../support/kms-crash.ts'

const rounds = 200

test(`all that the KMS service acknowledged is good after ${rounds} kills at random moments under load`, async (t) => {
  const run = await surviveCrashes(t, rounds)
  t.diagnostic(JSON.stringify(run))
  assert.ok(run.cutInTheMiddle > rounds / 4, `${run.cutInTheMiddle} rounds were cut in the middle`)
})
