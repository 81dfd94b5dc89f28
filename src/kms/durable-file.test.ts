import assert from 'node:assert/strict'
import fs, { mkdirSync, readlinkSync, statSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { makeDirectoryDurably } from './durable-file.ts'

test('every directory that got a new entry is synced', (t) => {
  const scratch = scratchDirectory(t)
  const synced: string[] = []
  const sync = t.mock.method(fs, 'fsyncSync', (file: number) => {
    synced.push(readlinkSync(`/proc/self/fd/${file}`))
  })
  syncBuiltinESMExports()
  t.after(() => {
    sync.mock.restore()
    syncBuiltinESMExports()
  })
  mkdirSync(join(scratch, 'there'))
  const path = join(scratch, 'there', 'a', 'b', 'c')
  makeDirectoryDurably(path)
  assert.deepEqual(synced.sort(), [
    join(scratch, 'there'),
    join(scratch, 'there', 'a'),
    join(scratch, 'there', 'a', 'b'),
  ])
  assert.equal(statSync(path).mode & 0o777, 0o700)
  makeDirectoryDurably(path)
  assert.equal(synced.length, 3)
})
