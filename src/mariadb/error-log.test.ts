import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { errorsInLog, lengthOfLog } from './error-log.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-error-log-'))
const file = join(scratch, 'error.log')
after(() => {
  rmSync(scratch, { recursive: true })
})

test('only errors, without their times, from an offset, the last ones', async () => {
  writeFileSync(file, '2026-11-25  1:57:59 0 [ERROR] earlier\n')
  const from = await lengthOfLog(file)
  appendFileSync(file, '2026-11-25  1:57:59 8 [Note] fine\n2026-11-25 11:57:59 0 [ERROR] Aborting\n')
  assert.deepEqual(await errorsInLog(file), ['[ERROR] earlier', '[ERROR] Aborting'])
  assert.deepEqual(await errorsInLog(file, { from }), ['[ERROR] Aborting'])
  assert.deepEqual(await errorsInLog(file, { limit: 1 }), ['[ERROR] Aborting'])
})

test('a log that is not there holds no errors', async () => {
  assert.deepEqual(await errorsInLog(join(scratch, 'none.log')), [])
})

test('of a large log only the end is read', async () => {
  writeFileSync(file, '[ERROR] first\n' + '[Note] filler\n'.repeat(50_000) + '[ERROR] last\n')
  assert.deepEqual(await errorsInLog(file), ['[ERROR] last'])
})
