import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  EnableKeyCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe as suite, test } from 'node:test'
import { pino } from 'pino'
import { decrypt, describe, encrypt, newKey } from '../../../../test/support/kms-keys.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { settableClock } from '../../../../test/support/key-store.ts'

const hour = 3_600_000
const day = 24 * hour

suite('the deletion of keys', () => {
  test('a window has 7 to 30 days, 30 when none is given', async (t) => {
    const kms = (await startTestService(t)).kms()
    for (const [days, expected] of [
      [undefined, 30],
      [7, 7],
      [30, 30],
    ] as const) {
      const { arn } = await newKey(kms)
      const answer = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: days }))
      assert.equal(answer.KeyId, arn)
      assert.equal(answer.KeyState, 'PendingDeletion')
      assert.equal(answer.PendingWindowInDays, expected)
      const date = answer.DeletionDate?.getTime() ?? assert.fail()
      assert.ok(Math.abs(date - Date.now() - expected * day) < hour)
      const { KeyState, DeletionDate, Enabled } = await describe(kms, arn)
      assert.deepEqual([KeyState, DeletionDate?.getTime(), Enabled], ['PendingDeletion', date, false])
    }
    const { id } = await newKey(kms)
    for (const days of [1, 6, 31, 365, 0, 366]) {
      await assert.rejects(
        kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: days })),
        { name: 'ValidationException' },
        String(days),
      )
    }
    assert.equal((await describe(kms, id)).KeyState, 'Enabled')
  })

  test('the service deletes the key when its time has come, with all that hangs on it, and records that', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id, arn } = await newKey(kms)
    const kept = await newKey(kms)
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: id }))
    await kms.send(
      new CreateGrantCommand({
        KeyId: id,
        GranteePrincipal: 'arn:aws:iam::111122223333:root',
        Operations: ['Decrypt'],
      }),
    )
    const blob = await encrypt(kms, id)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    clock.pass(7 * day - hour)
    await service.current.runDue()
    assert.equal((await describe(kms, id)).KeyState, 'PendingDeletion')
    clock.pass(2 * hour)
    await service.current.runDue()
    await assert.rejects(describe(kms, id), { name: 'NotFoundException' })
    await assert.rejects(describe(kms, 'alias/a'), { name: 'NotFoundException' })
    const { Keys } = await kms.send(new ListKeysCommand({}))
    assert.deepEqual(
      Keys?.map(({ KeyId }) => KeyId),
      [kept.id],
    )
    assert.deepEqual((await kms.send(new ListAliasesCommand({}))).Aliases, [])
    await assert.rejects(decrypt(kms, blob), {
      name: 'AccessDeniedException',
      message:
        /customer master key that does not exist, does not exist in this region, or you are not allowed/,
    })
    const record = service.trail().find(({ eventName }) => eventName === 'DeleteKey')
    assert.equal(record?.['eventType'], 'AwsServiceEvent')
    assert.match(JSON.stringify(record['resources']), new RegExp(arn))

    await service.reopen(() => {
      const database = new DatabaseSync(join(service.directory, 'kms.db'))
      for (const table of ['keys', 'backing_keys', 'aliases', 'grants', 'key_usage']) {
        const rows = database.prepare(`SELECT 1 FROM ${table} WHERE key_id = ?`).all(id)
        assert.deepEqual(rows, [], table)
      }
      assert.equal(database.prepare('SELECT key_id FROM deleted_keys').all().length, 1)
      database.close()
    })
  })

  test('nothing of a deleted key’s sealed secret stays in the database files', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id } = await newKey(kms)
    await newKey(kms)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    const sealed = await sealedSecret(service.directory, id)
    assert.ok(filesHold(service.directory, sealed))
    clock.pass(8 * day)
    await service.current.runDue()
    assert.ok(!filesHold(service.directory, sealed))
  })

  test('a deletion that was cancelled does not happen; the key is Disabled then, and can be enabled', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id, arn } = await newKey(kms)
    const blob = await encrypt(kms, id)
    await assert.rejects(kms.send(new CancelKeyDeletionCommand({ KeyId: id })), {
      name: 'KMSInvalidStateException',
      message: `${arn} is not pending deletion.`,
    })
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    await assert.rejects(decrypt(kms, blob), {
      name: 'KMSInvalidStateException',
      message: `${arn} is pending deletion.`,
    })
    assert.equal((await kms.send(new CancelKeyDeletionCommand({ KeyId: id }))).KeyId, arn)
    clock.pass(30 * day)
    await service.current.runDue()
    const { KeyState, DeletionDate } = await describe(kms, id)
    assert.deepEqual([KeyState, DeletionDate], ['Disabled', undefined])
    await kms.send(new EnableKeyCommand({ KeyId: id }))
    assert.equal(await decrypt(kms, blob), 'a secret')
  })

  test('while the trail cannot be written nothing is deleted', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id } = await newKey(kms)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    clock.pass(8 * day)
    const trail = join(service.directory, 'audit-trail.jsonl')
    await rename(trail, `${trail}.away`)
    await service.current.runDue()
    await rename(`${trail}.away`, trail)
    assert.equal((await describe(kms, id)).KeyState, 'PendingDeletion')
    await service.current.runDue()
    await assert.rejects(describe(kms, id), { name: 'NotFoundException' })
  })

  test('a clock that was set forward deletes nothing before it has run for a day, and says what it will delete', async (t) => {
    const clock = settableClock()
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
    const service = await startTestService(t, { clock, log })
    const kms = service.kms()
    const { id } = await newKey(kms)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    clock.pass(2 * hour)
    await service.current.runDue()
    const right = clock.now()
    clock.set(new Date(clock.now().getTime() + 3650 * day))
    for (let hours = 0; hours < 23; hours++) {
      await service.current.runDue()
      clock.pass(hour)
    }
    assert.equal((await describe(kms, id)).KeyState, 'PendingDeletion')
    const said = lines.filter((line) => line.includes('will be deleted for good'))
    assert.equal(said.length, 1)
    assert.match(said[0] ?? '', new RegExp(`"keyId":"${id}"`))

    // Put right in time: nothing is due any more.
    clock.set(right)
    clock.pass(3 * day)
    await service.current.runDue()
    clock.pass(2 * day)
    await service.current.runDue()
    assert.equal((await describe(kms, id)).KeyState, 'PendingDeletion')

    clock.set(new Date(clock.now().getTime() + 3650 * day))
    await service.current.runDue()
    clock.pass(25 * hour)
    await service.current.runDue()
    await assert.rejects(describe(kms, id), { name: 'NotFoundException' })
  })

  test('after a start it takes an hour, and a day when the clock is more than a day ahead of the last time', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const [soon, late] = [await newKey(kms), await newKey(kms)]
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: soon.id, PendingWindowInDays: 7 }))
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: late.id, PendingWindowInDays: 14 }))
    clock.pass(7 * day - hour)
    await service.current.runDue()
    clock.pass(2 * hour)
    await service.reopen()
    await service.current.runDue()
    assert.equal((await describe(service.kms(), soon.id)).KeyState, 'PendingDeletion')
    clock.pass(hour)
    await service.current.runDue()
    await assert.rejects(describe(service.kms(), soon.id), { name: 'NotFoundException' })

    clock.pass(8 * day)
    await service.reopen()
    clock.pass(23 * hour)
    await service.current.runDue()
    assert.equal((await describe(service.kms(), late.id)).KeyState, 'PendingDeletion')
    clock.pass(hour)
    await service.current.runDue()
    await assert.rejects(describe(service.kms(), late.id), { name: 'NotFoundException' })
  })

  test('a deletion date that somebody wrote into the database is none', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const { id } = await newKey(service.kms())
    await service.reopen(() => {
      const database = new DatabaseSync(join(service.directory, 'kms.db'))
      database.exec('UPDATE keys SET deletion_date = 1')
      database.close()
    })
    clock.pass(2 * day)
    await service.current.runDue()
    assert.equal((await describe(service.kms(), id)).KeyState, 'Unavailable')
    assert.ok(!service.trail().some(({ eventName }) => eventName === 'DeleteKey'))
  })
})

/** Looked up in a copy: the database is the running service's alone. */
async function sealedSecret(directory: string, keyId: string): Promise<Buffer> {
  const copy = await mkdtemp(`${directory}-copy-`)
  for (const name of ['kms.db', 'kms.db-wal']) await cp(join(directory, name), join(copy, name))
  const database = new DatabaseSync(join(copy, 'kms.db'))
  const found = database.prepare('SELECT sealed_secret FROM backing_keys WHERE key_id = ?').get(keyId)
  const sealed = found?.['sealed_secret']
  database.close()
  await rm(copy, { recursive: true })
  assert.ok(sealed instanceof Uint8Array)
  return Buffer.from(sealed)
}

function filesHold(directory: string, bytes: Buffer): boolean {
  const files = ['kms.db', 'kms.db-wal'].map((name) => join(directory, name))
  return files.some((file) => readFileSync(file).includes(bytes))
}
