import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { scratchDirectory } from '../support/scratch.ts'

test('a scratch directory is there until all has ended that a test started after it was made', async (t) => {
  let directory = ''
  let wasThere = false
  await t.test('a test', (inner) => {
    directory = scratchDirectory(inner)
    inner.after(() => {
      wasThere = existsSync(directory)
    })
  })
  assert.equal(wasThere, true)
  assert.equal(existsSync(directory), false)
})
