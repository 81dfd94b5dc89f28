import { CreateKeyCommand, DescribeKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startTestService } from '../../test/support/kms-service.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { DutyFiles, newDutyId } from './duty-files.ts'
import type { DutyRecord } from './duty-record.ts'
import { isRunning, ownIdentity } from './process-identity.ts'
import { recover } from './recover.ts'

async function site(t: TestContext) {
  const service = await startTestService(t)
  const kms = service.kms()
  t.after(() => {
    kms.destroy()
  })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const keyArn = KeyMetadata?.Arn ?? ''
  const files = new DutyFiles(join(scratchDirectory(t), 'duties'))
  const place = { region: service.current.region, endpointUrl: service.current.url }
  const record = (more: Partial<DutyRecord> = {}): DutyRecord => ({
    format: 'strongroom-master-key-duty/1',
    id: newDutyId(),
    target: { type: 'key', keyArn },
    place,
    holder: { ...ownIdentity(), pid: goneProcess() },
    begunAt: Date.now(),
    endsAt: Date.now() + 60_000,
    state: 'open',
    ...more,
  })
  return {
    files,
    record,
    caller: { place, credentials: service.clientConfig().credentials },
    state: async () => (await kms.send(new DescribeKeyCommand({ KeyId: keyArn }))).KeyMetadata?.KeyState,
  }
}

function goneProcess(): number {
  return spawnSync('true').pid
}

test('what nobody holds is closed, and forgotten', async (t) => {
  const { files, record, caller, state } = await site(t)
  await files.write(record())
  const [found] = await recover(files, caller)
  assert.equal(found?.outcome, 'closed')
  assert.equal(await state(), 'Disabled')
  assert.deepEqual(await files.list(), { records: [], unreadable: [] })
})

test('what a process holds is left to it', async (t) => {
  const { files, record, caller, state } = await site(t)
  await files.write(record({ holder: ownIdentity() }))
  // Of another host it can't be told before its time is over.
  await files.write(record({ holder: { ...ownIdentity(), host: 'elsewhere', pid: 1 } }))
  assert.deepEqual(
    (await recover(files, caller)).map(({ outcome }) => outcome),
    ['held', 'held'],
  )
  assert.equal(await state(), 'Enabled')
})

test('what a later window has open is not closed under it, whatever an earlier one left written down', async (t) => {
  const { files, record, caller, state } = await site(t)
  const earlier = [record(), record({ state: 'watching', mayOpenUntil: Date.now() + 60_000 })]
  const later = record({ holder: ownIdentity() })
  for (const one of [...earlier, later]) await files.write(one)
  const found = await recover(files, caller)
  assert.deepEqual(
    found.map(({ outcome }) => outcome),
    ['held', 'held', 'held'],
  )
  assert.equal(await state(), 'Enabled')

  await files.remove(later.id)
  await recover(files, caller)
  assert.equal(await state(), 'Disabled')
})

test('what another host should have closed long ago is closed', async (t) => {
  const { files, record, caller, state } = await site(t)
  const holder = { ...ownIdentity(), host: 'elsewhere' }
  await files.write(record({ holder, endsAt: Date.now() - 120_000 }))
  assert.equal((await recover(files, caller))[0]?.outcome, 'closed')
  assert.equal(await state(), 'Disabled')
})

test('another process with that number, or one before a reboot, is not the holder', () => {
  assert.equal(isRunning(ownIdentity()), true)
  assert.equal(isRunning({ ...ownIdentity(), started: '1' }), false)
  assert.equal(isRunning({ ...ownIdentity(), boot: 'an earlier one' }), false)
})

test('what can not be closed stays written down, and a file that is none is told of', async (t) => {
  const { files, record, caller } = await site(t)
  const left = record()
  await files.write(left)
  writeFileSync(files.pathOf('ffffffffffffffff'), '{')
  const bad = { ...caller.credentials, secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
  const [found] = await recover(files, { ...caller, credentials: bad })
  assert.equal(found?.outcome, 'left')
  assert.ok(!(found.why ?? '').includes(bad.secretAccessKey))
  assert.deepEqual(await files.list(), { records: [left], unreadable: [files.pathOf('ffffffffffffffff')] })
})

test('where a call may yet arrive that opens it, the next one looks again', async (t) => {
  const { files, record, caller } = await site(t)
  await files.write(record({ state: 'opening' }))
  await recover(files, caller)
  assert.deepEqual(
    (await files.list()).records.map(({ state }) => state),
    ['watching'],
  )
})
