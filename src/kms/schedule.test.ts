import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { settableClock } from '../../test/support/key-store.ts'
import { Schedule, type TimedTask } from './schedule.ts'

test('a task that fails keeps no other from its work, and is tried again', async () => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => lines.push(line) })
  const ran: string[] = []
  const task = (name: string, run: () => void): TimedTask => ({ name, needsTrust: false, run })
  const schedule = new Schedule({
    clock: settableClock(),
    settlesIn: () => 0,
    tasks: [
      task('fails', () => {
        ran.push('fails')
        throw new Error('no luck')
      }),
      task('works', () => {
        ran.push('works')
      }),
    ],
    log,
  })
  await schedule.runDue()
  await schedule.runDue()
  assert.deepEqual(ran, ['fails', 'works', 'fails', 'works'])
  assert.match(lines[0] ?? '', /no luck.*"task":"fails"/)
})

test('what waits for a trusted clock is postponed, what does not is done; runs never overlap', async () => {
  let settlesIn = 5
  let running = 0
  const done: string[] = []
  const run = async (): Promise<void> => {
    assert.equal(++running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    done.push('trusting')
  }
  const schedule = new Schedule({
    clock: settableClock(),
    settlesIn: () => settlesIn,
    tasks: [
      { name: 'a', needsTrust: true, run, postpone: (_now, ms) => done.push(`postponed by ${ms}`) },
      { name: 'b', needsTrust: false, run: () => void done.push('any time') },
    ],
    log: pino({ level: 'silent' }),
  })
  await schedule.runDue()
  assert.deepEqual(done.splice(0), ['postponed by 5', 'any time'])
  settlesIn = 0
  await Promise.all([schedule.runDue(), schedule.runDue()])
  assert.deepEqual(done.splice(0), ['trusting', 'any time', 'trusting', 'any time'])
  await schedule.close()
  await schedule.runDue()
  assert.deepEqual(done, [])
})
