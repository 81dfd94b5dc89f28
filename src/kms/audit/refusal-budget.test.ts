import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusalBudget, type Unrecorded } from './refusal-budget.ts'

test('so many a second get a record, the others are counted and told once a second', async (t) => {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const tick = (milliseconds: number): void => {
    now += milliseconds
    t.mock.timers.tick(milliseconds)
  }
  const told: Unrecorded[] = []
  const budget = new RefusalBudget((unrecorded) => {
    told.push(unrecorded)
    return Promise.resolve()
  }, 3)
  const take = (times: number): number =>
    Array.from({ length: times }, () => budget.take()).filter(Boolean).length
  assert.equal(take(100), 3)
  assert.equal(take(50), 0)
  tick(900)
  assert.deepEqual(told, [])
  tick(100)
  assert.deepEqual(
    told.map(({ requests }) => requests),
    [147],
  )
  assert.equal(take(2), 2)
  tick(5000)
  assert.equal(told.length, 1)
  assert.equal(take(5), 3)
  await budget.close()
  assert.deepEqual(
    told.map(({ requests }) => requests),
    [147, 2],
  )
  await budget.close()
  assert.equal(told.length, 2)
})
