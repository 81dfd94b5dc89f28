import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTestTrail } from '../../../../test/support/audit-trail.ts'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { linkOf } from '../chain.ts'
import { finishedSegments } from '../segments.ts'
import { TrailReader } from './trail-reader.ts'

test('a trail that is read while its files are finished, one after the other, is read whole', async (t) => {
  const path = join(scratchDirectory(t), 'audit-trail.jsonl')
  const trail = await openTestTrail(path, { maxSize: 1000 })
  const written = (async () => {
    for (let n = 0; n < 300; n++) await trail.append({ n })
  })()
  const numbers: number[] = []
  const reader = new TrailReader(path, () => trail.durable, 0)
  for (let last = 0; last < 300;) {
    const batch = await reader.next(600)
    numbers.push(...batch.lines.map((line) => linkOf(line)?.sequence ?? 0))
    last = batch.last
    await new Promise(setImmediate)
  }
  await written
  await reader.close()
  await trail.close()
  assert.ok(finishedSegments(path).length > 50)
  assert.deepEqual(
    numbers,
    Array.from({ length: 300 }, (_, index) => index + 1),
  )
})

test('a reader that begins while a file is finished finds the record that it is told, too', async (t) => {
  const path = join(scratchDirectory(t), 'audit-trail.jsonl')
  const trail = await openTestTrail(path, { maxSize: 1000 })
  await trail.append({ n: 0 })
  const written = (async () => {
    for (let n = 1; n < 200; n++) await trail.append({ n })
  })()
  while (trail.durable.last.sequence < 200) {
    const after = Math.max(0, trail.durable.last.sequence - 2)
    const reader = new TrailReader(path, () => trail.durable, after)
    const [line = Buffer.alloc(0)] = (await reader.next(1)).lines
    await reader.close()
    assert.equal(linkOf(line)?.sequence, after + 1)
  }
  await written
  await trail.close()
})

test('a reader begins after the record that it is told, in whichever file that is', async (t) => {
  const path = join(scratchDirectory(t), 'audit-trail.jsonl')
  const trail = await openTestTrail(path, { maxSize: 1000 })
  for (let n = 0; n < 12; n++) await trail.append({ n })
  for (let after = 0; after <= 12; after++) {
    const reader = new TrailReader(path, () => trail.durable, after)
    const batch = await reader.next(1)
    await reader.close()
    assert.deepEqual(
      batch.lines.map((line) => linkOf(line)?.sequence),
      after === 12 ? [] : [after + 1],
    )
  }
  await trail.close()
})
