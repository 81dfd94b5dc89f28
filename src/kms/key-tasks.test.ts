import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { scratchDatabase, settableClock } from '../../test/support/key-store.ts'
import type { ServiceEvent } from './audit/service-event.ts'
import { keyTasks } from './key-tasks.ts'
import { RootKey } from './seal/root-key.ts'
import { DueKeys } from './state/keys/due-keys.ts'
import { KeyStore } from './state/keys/key-store.ts'
import { Keys } from './state/keys.ts'

const day = 86_400_000
const accountId = '111122223333'
const attributes = { description: '', policy: '{"Statement": []}' }

function setUp(t: TestContext) {
  const log = pino({ level: 'silent' })
  const clock = settableClock()
  const database = scratchDatabase(t)
  const store = new KeyStore({ database, rootKey: new RootKey(randomBytes(32)), accountId, clock, log })
  const tried: ServiceEvent[] = []
  const trail = { isHealthy: true, fails: false, cannotForget: false, tried }
  let scrubs = 0
  t.mock.method(store, 'scrub', () => scrubs++)
  const tasks = keyTasks({
    store,
    due: new DueKeys(database),
    accountId,
    requireRecordable: () => (trail.isHealthy ? Promise.resolve() : Promise.reject(new Error('broken'))),
    record(event) {
      trail.tried.push(event)
      return trail.fails ? Promise.reject(new Error('broken')) : Promise.resolve()
    },
    onDeleted() {
      if (trail.cannotForget) throw new Error('cannot forget')
    },
    log,
  })
  const run = async (name: string): Promise<void> => {
    await tasks.find((task) => task.name === name)?.run(clock.now())
  }
  return { clock, keys: new Keys(store, 'us-east-1'), trail, run, scrubs: () => scrubs }
}

test('nothing is begun while the trail is broken: no rotation, and no record of a deletion that is not done', async (t) => {
  const { clock, keys, trail, run } = setUp(t)
  const rotated = keys.create(attributes)
  keys.enableRotation(rotated, 90, clock.now())
  const deleted = keys.create(attributes)
  keys.scheduleDeletion(deleted, 7, clock.now())
  clock.pass(91 * day)
  trail.isHealthy = false
  await assert.rejects(run('rotate keys'), /broken/)
  await assert.rejects(run('delete keys'), /broken/)
  assert.equal(keys.get(rotated.keyId)?.materials.length, 1)
  assert.equal(keys.get(deleted.keyId)?.state, 'PendingDeletion')
  assert.deepEqual(trail.tried, [])
  trail.isHealthy = true
  await run('rotate keys')
  await run('delete keys')
  assert.equal(keys.get(rotated.keyId)?.materials.length, 2)
  assert.equal(keys.get(deleted.keyId), undefined)
  assert.deepEqual(
    trail.tried.map(({ eventName }) => eventName),
    ['RotateKey', 'DeleteKey'],
  )
})

test('when the trail fails just as a key is rotated, it owes the record of each region', async (t) => {
  const { clock, keys, trail, run } = setUp(t)
  const key = keys.create({ ...attributes, multiRegion: true })
  keys.replicate(key, 'eu-west-1', attributes)
  keys.enableRotation(key, 90, clock.now())
  clock.pass(91 * day)
  trail.fails = true
  await assert.rejects(run('rotate keys'), /broken/)
  assert.deepEqual(
    trail.tried.map(({ eventName, account }) => [eventName, account.region]),
    [
      ['SynchronizeMultiRegionKey', 'eu-west-1'],
      ['RotateKey', 'us-east-1'],
    ],
  )
})

test('what was deleted is brought out of the write-ahead log also when the work fails half way', async (t) => {
  const { clock, keys, trail, run, scrubs } = setUp(t)
  const { keyId } = keys.scheduleDeletion(keys.create(attributes), 7, clock.now())
  clock.pass(8 * day)
  trail.cannotForget = true
  await assert.rejects(run('delete keys'), /cannot forget/)
  assert.equal(keys.get(keyId), undefined)
  assert.equal(scrubs(), 1)
})
