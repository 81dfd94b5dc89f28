import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeReleaseTree } from '../../scripts/release-tree.ts'
import { scratchDirectory } from '../support/scratch.ts'

test('what a release holds is compiled, has no tests in it, and does the whole demo', (t) => {
  const directory = scratchDirectory(t)
  const program = makeReleaseTree(directory)
  const files = readdirSync(join(directory, 'dist'), { recursive: true, encoding: 'utf8' })
  assert.ok(files.includes('cli/main.js'))
  assert.deepEqual(
    files.filter((file) => file.includes('.test.') || file.endsWith('.ts')),
    [],
  )
  assert.equal(existsSync(join(directory, 'src')), false)
  assert.match(execFileSync(program, ['demo'], { encoding: 'utf8' }), /All of it held\.\n$/)
})
