import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailedTries } from './failed-tries.ts'

const start = new Date('2026-01-01T00:00:00Z')
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000)

test('four wrong codes in a row cost nothing, the fifth a minute', () => {
  const tries = new FailedTries()
  for (let i = 0; i < 4; i++) tries.failed('d', start)
  assert.equal(tries.pausedUntil('d', start), undefined)
  tries.failed('d', start)
  assert.deepEqual(tries.pausedUntil('d', start), after(60))
  assert.deepEqual(tries.pausedUntil('d', after(59.999)), after(60))
  assert.equal(tries.pausedUntil('d', after(60)), undefined)
  assert.equal(tries.pausedUntil('another', start), undefined)
})

test('each further wrong code doubles the pause, up to an hour', () => {
  const tries = new FailedTries()
  const pauses = Array.from({ length: 13 }, () => {
    tries.failed('d', start)
    return ((tries.pausedUntil('d', start) ?? start).getTime() - start.getTime()) / 1000
  })
  assert.deepEqual(pauses, [0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
})

test('a right code begins the count anew', () => {
  const tries = new FailedTries()
  for (let i = 0; i < 4; i++) tries.failed('d', start)
  tries.forget('d')
  tries.failed('d', start)
  assert.equal(tries.pausedUntil('d', start), undefined)
})

test('a guesser gets fewer than 40 tries on a day', () => {
  const tries = new FailedTries()
  let made = 0
  for (let second = 0; second < 86_400; second++) {
    if (tries.pausedUntil('d', after(second)) !== undefined) continue
    tries.failed('d', after(second))
    made++
  }
  assert.ok(made < 40, `${made}`)
})
