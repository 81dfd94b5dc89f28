import assert from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openTestTrail, recordingPino, recordsOf } from '../../../test/support/audit-trail.ts'
import { replaceDatasync } from '../../../test/support/kms-service.ts'

function scratchFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-trail-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return join(directory, 'audit-trail.jsonl')
}

test('records are on disk, in order, when append resolves; concurrent ones share syncs', async (t) => {
  const path = scratchFile(t)
  const syncs = await replaceDatasync(undefined)
  t.after(() => {
    syncs.restore()
  })
  const trail = await openTestTrail(path)
  const before = syncs.calls()
  await Promise.all(Array.from({ length: 200 }, (_, n) => trail.append({ n })))
  assert.deepEqual(
    recordsOf(path),
    Array.from({ length: 200 }, (_, n) => ({ n })),
  )
  assert.ok(syncs.calls() - before <= 3)
  await trail.close()
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a record is not acknowledged before it is synced', async (t) => {
  const path = scratchFile(t)
  const synced = Promise.withResolvers<undefined>()
  const sync = await replaceDatasync(() => synced.promise)
  t.after(() => {
    sync.restore()
  })
  const trail = await openTestTrail(path)
  let acknowledged = false
  const appended = trail.append({ n: 1 }).then(() => {
    acknowledged = true
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(acknowledged, false)
  synced.resolve(undefined)
  await appended
  await trail.close()
})

test('a torn last line is removed, and what follows can be read', async (t) => {
  for (const torn of ['{"n":', '{"n":2}', 'x'.repeat(200_000)]) {
    const path = scratchFile(t)
    const before = await openTestTrail(path)
    await before.append({ n: 1 })
    await before.close()
    appendFileSync(path, torn)
    const { log, entries } = recordingPino()
    const trail = await openTestTrail(path, { log })
    assert.deepEqual(
      entries()
        .filter(({ level }) => level >= 40)
        .map(({ level, bytes }) => ({ level, bytes })),
      [{ level: 40, bytes: torn.length }],
    )
    await trail.append({ n: 3 })
    await trail.close()
    assert.deepEqual(recordsOf(path), [{ n: 1 }, { n: 3 }])
  }
})

test('while it cannot be written everything is refused; what is owed comes first when it can', async (t) => {
  const path = scratchFile(t)
  const trail = await openTestTrail(path)
  await trail.append({ n: 1 })
  const sync = await replaceDatasync(() => Promise.reject(new Error('no space')))
  await assert.rejects(trail.append({ n: 2 }), /no space/)
  await Promise.all([
    assert.rejects(trail.requireHealthy(), /no space/),
    assert.rejects(trail.requireHealthy()),
  ])
  sync.restore()
  await Promise.all([trail.requireHealthy(), trail.requireHealthy(), trail.append({ n: 3 })])
  await trail.close()
  assert.deepEqual(recordsOf(path), [{ n: 1 }, { n: 2 }, { n: 3 }])
})

test('a file that was moved, removed, replaced, cut short or written to by others is noticed', async (t) => {
  const table: [what: string, damage: (path: string) => void, message: RegExp][] = [
    ['removed', rmSync, /cannot be reached \(ENOENT\) .* put it back/],
    [
      'moved',
      (path) => {
        renameSync(path, `${path}.1`)
      },
      /cannot be reached \(ENOENT\)/,
    ],
    [
      'replaced',
      (path) => {
        copyFileSync(path, `${path}.1`)
        renameSync(`${path}.1`, path)
      },
      /was moved, removed or replaced while the service runs: stop the service, put it back, start it again/,
    ],
    ['emptied', truncateSync, /was cut short/],
    [
      'cut short',
      (path) => {
        truncateSync(path, 3)
      },
      /was cut short .* bring it back whole/,
    ],
    [
      'written to',
      (path) => {
        appendFileSync(path, '{"n":7}\n')
      },
      /was written to by somebody else/,
    ],
  ]
  for (const [what, damage, message] of table) {
    const path = scratchFile(t)
    const trail = await openTestTrail(path)
    await trail.append({ n: 1 })
    damage(path)
    await assert.rejects(trail.requireHealthy(), { code: 'SR_KMS_AUDIT_TRAIL', message }, what)
    await assert.rejects(trail.append({ n: 2 }), { code: 'SR_KMS_AUDIT_TRAIL', message }, what)
    await assert.rejects(trail.close(), { code: 'SR_KMS_AUDIT_TRAIL' }, what)
  }
  assert.equal(table.length, 6)
})

test('a record that went to a file that was moved meanwhile is not acknowledged; back in place it is written once', async (t) => {
  const path = scratchFile(t)
  const trail = await openTestTrail(path)
  await trail.append({ n: 1 })
  const sync = await replaceDatasync(() => {
    renameSync(path, `${path}.1`)
    return Promise.resolve(undefined)
  })
  await assert.rejects(trail.append({ n: 2 }), { code: 'SR_KMS_AUDIT_TRAIL' })
  sync.restore()
  await assert.rejects(trail.requireHealthy(), { code: 'SR_KMS_AUDIT_TRAIL' })
  renameSync(`${path}.1`, path)
  await trail.append({ n: 3 })
  await trail.close()
  assert.deepEqual(recordsOf(path), [{ n: 1 }, { n: 2 }, { n: 3 }])
})
