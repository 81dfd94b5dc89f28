import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { keyringId, wishes } from '../../test/support/provisioned.ts'
import { planFor } from './plan.ts'
import { untried } from './proof/server-rest.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/provisioning.md'), 'utf8')

test('docs/provisioning.md shows the key policy as it is', () => {
  const plan = planFor(wishes, { account: { accountId: '111122223333', partition: 'aws' }, keyringId })
  const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? []
  assert.deepEqual(JSON.parse(shown), plan.masterKey.policy)
})

test('docs/provisioning.md names what is not tried', () => {
  const [, named = ''] = /What has no such request \(([^)]*)\)/.exec(page) ?? []
  assert.deepEqual(
    named.match(/\w+/g),
    untried.map((action) => action.split(':')[1]),
  )
})
