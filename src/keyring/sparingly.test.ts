import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sparingly } from './sparingly.ts'

function scene() {
  const state = { now: 0, full: 0 }
  const said = new Sparingly(
    1000,
    () => (state.full += 1),
    () => state.now,
  )
  return { state, isDue: (what: string) => said.isDue(what), said }
}

test('the same is said once in an interval, and at once after it was forgotten', () => {
  const { state, isDue, said } = scene()
  assert.deepEqual([isDue('a'), isDue('b'), isDue('a')], [true, true, false])
  state.now = 1000
  assert.deepEqual([isDue('a'), isDue('a')], [true, false])
  said.forget()
  assert.ok(isDue('a'))
})

test('no more than a thousand things are said in an interval, and once that there are more', () => {
  const { state, isDue } = scene()
  assert.ok(isDue('first'))
  state.now = 500
  for (let n = 1; n < 1000; n++) assert.ok(isDue(`thing ${n}`))
  assert.equal(state.full, 0)
  for (let n = 1; n < 1000; n++) assert.ok(!isDue(`thing ${n}`))
  assert.equal(state.full, 0, 'what was said is not more')
  for (let n = 0; n < 2000; n++) assert.ok(!isDue(`more ${n}`))
  assert.equal(state.full, 1)
  state.now = 1000
  assert.deepEqual([isDue('more 1'), isDue('more 2'), isDue('first')], [true, false, false])
  state.now = 1500
  assert.deepEqual([isDue('first'), isDue('more 2'), isDue('more 1')], [true, true, false])
  assert.equal(state.full, 1)
})
