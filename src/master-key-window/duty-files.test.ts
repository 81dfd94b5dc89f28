import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { DutyFiles, newDutyId } from './duty-files.ts'
import { recordOf } from './duty-record.ts'

const newRecord = () =>
  recordOf(
    { id: newDutyId(), target: { type: 'key', keyArn: 'arn' }, lasts: 1000, proves: true },
    { region: 'us-east-1' },
  )

test('a directory that can not be made is no wait without an end', async () => {
  const files = new DutyFiles('/proc/no-such-place/duties')
  await assert.rejects(files.write(newRecord()), { code: 'SR_WINDOW_DUTY', message: /ENOENT/ })
})

test('directories are made as far as they are missing, for nobody else', async (t) => {
  const directory = join(scratchDirectory(t), 'a', 'b', 'c')
  const files = new DutyFiles(directory)
  const record = newRecord()
  await files.write(record)
  await files.write(newRecord())
  assert.ok(await files.has(record.id))
  const handle = await open(directory)
  assert.equal((await handle.stat()).mode & 0o777, 0o700)
  await handle.close()
})

test('where others may write nothing is written down, and nothing is believed', async (t) => {
  const directory = join(scratchDirectory(t), 'duties')
  mkdirSync(directory)
  chmodSync(directory, 0o1777)
  const files = new DutyFiles(directory)
  const refused = { code: 'SR_WINDOW_DUTY', message: /others may write there/ }
  const record = newRecord()
  await assert.rejects(files.write(record), refused)
  await assert.rejects(files.list(), refused)
  assert.ok(!existsSync(files.pathOf(record.id)))
})

test('what is said anew is on disk before it takes the place of what was said before', async (t) => {
  const directory = scratchDirectory(t)
  const files = new DutyFiles(directory)
  const handle = await open(directory)
  const prototype: unknown = Object.getPrototypeOf(handle)
  await handle.close()
  assert.ok(isSyncable(prototype))
  let synced = 0
  t.mock.method(prototype, 'sync', async function (this: FileHandle) {
    if ((await this.stat()).isFile()) synced += 1
  })
  const record = newRecord()
  await files.write(record)
  await files.update({ ...record, state: 'open' })
  assert.equal(synced, 2)
})

function isSyncable(value: unknown): value is { sync(): Promise<void> } {
  return typeof value === 'object' && value !== null && 'sync' in value
}
