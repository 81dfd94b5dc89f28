import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { LastUses } from './last-uses.ts'

interface Fixture {
  readonly uses: LastUses<number>
  /** What is stored, by id. */
  readonly stored: () => Record<string, number>
  readonly transactions: () => number
  readonly failing: { now: boolean }
  readonly log: string[]
}

function fixture(t: TestContext): Fixture {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE uses (id TEXT PRIMARY KEY, use INTEGER)')
  const statement = database.prepare('INSERT OR REPLACE INTO uses VALUES (?, ?)')
  const failing = { now: false }
  const log: string[] = []
  let transactions = 0
  const exec = database.exec.bind(database)
  t.mock.method(database, 'exec', (sql: string) => {
    if (sql === 'COMMIT') transactions += 1
    exec(sql)
  })
  const uses = new LastUses<number>(
    database,
    pino({ level: 'error' }, { write: (line: string) => log.push(line) }),
    (id, use) => {
      if (failing.now) throw new Error('the disk is full')
      statement.run(id, use)
    },
  )
  return {
    ...{ uses, failing, log },
    transactions: () => transactions,
    stored: () =>
      Object.fromEntries(
        database
          .prepare('SELECT id, use FROM uses')
          .all()
          .map(({ id, use }) => [String(id), Number(use)]),
      ),
  }
}

describe('LastUses', () => {
  test('stores once a minute, the newest of each, in one transaction', (t) => {
    const { uses, stored, transactions } = fixture(t)
    uses.note('a', 1)
    uses.note('b', 2)
    uses.note('a', 3)
    t.mock.timers.tick(59_999)
    assert.deepEqual(stored(), {})
    assert.equal(uses.unsaved('a'), 3)
    t.mock.timers.tick(1)
    assert.deepEqual(stored(), { a: 3, b: 2 })
    assert.equal(uses.unsaved('a'), undefined)
    assert.equal(transactions(), 1)
    t.mock.timers.tick(600_000)
    assert.equal(transactions(), 1)
    uses.note('a', 4)
    t.mock.timers.tick(60_000)
    assert.deepEqual(stored(), { a: 4, b: 2 })
  })

  test('stores many in parts, and what is used meanwhile a minute later', (t) => {
    const { uses, stored, transactions } = fixture(t)
    for (let i = 0; i < 1200; i++) uses.note(`k${i}`, 1)
    t.mock.timers.tick(60_000)
    assert.equal(Object.keys(stored()).length, 500)
    uses.note('k0', 2)
    uses.note('k1199', 2)
    uses.note('new', 2)
    t.mock.timers.tick(10)
    t.mock.timers.tick(10)
    assert.equal(Object.keys(stored()).length, 1200)
    assert.equal(transactions(), 3)
    assert.deepEqual([stored()['k0'], stored()['k1199'], stored()['new']], [1, 2, undefined])
    t.mock.timers.tick(60_000)
    assert.deepEqual([stored()['k0'], stored()['new']], [2, 2])
    assert.equal(transactions(), 4)
  })

  test('closing stores the rest', (t) => {
    const { uses, stored } = fixture(t)
    for (let i = 0; i < 600; i++) uses.note(`k${i}`, 1)
    uses.forget('k0')
    uses.close()
    assert.equal(Object.keys(stored()).length, 599)
  })

  test('a failure is logged, and nothing is lost by it', (t) => {
    const { uses, stored, failing, log } = fixture(t)
    uses.note('a', 1)
    failing.now = true
    t.mock.timers.tick(60_000)
    assert.match(log.join(''), /the disk is full/)
    assert.equal(uses.unsaved('a'), 1)
    failing.now = false
    t.mock.timers.tick(60_000)
    assert.deepEqual(stored(), { a: 1 })
  })
})
