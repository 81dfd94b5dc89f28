import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { openSegment, segmentPath } from './segments.ts'

/** Another file becomes the current one after the first look. */
function becoming(first: number, next: number): () => number {
  let looks = 0
  return () => (looks++ === 0 ? first : next)
}

async function textOf(t: TestContext, file: ReturnType<typeof openSegment>): Promise<string> {
  const handle = await file
  t.after(() => handle.close())
  return await handle.readFile('utf8')
}

test('a file that is finished while it is opened is found by its next name, though none has the former yet', async (t) => {
  const path = join(scratchDirectory(t), 'audit-trail.jsonl')
  writeFileSync(segmentPath(path, 1), 'the first')
  assert.equal(await textOf(t, openSegment(path, 1, becoming(1, 5))), 'the first')
  writeFileSync(path, 'the next')
  assert.equal(await textOf(t, openSegment(path, 1, becoming(1, 5))), 'the first')
  assert.equal(
    await textOf(
      t,
      openSegment(path, 5, () => 5),
    ),
    'the next',
  )
})

test('a current file that is gone is named', async (t) => {
  const path = join(scratchDirectory(t), 'audit-trail.jsonl')
  await assert.rejects(
    openSegment(path, 1, () => 1),
    { code: 'ENOENT', path },
  )
})
