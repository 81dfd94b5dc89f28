import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RecordingLog } from '../../test/support/recording-log.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { ServiceStatus } from './service-status.ts'

/** With a `systemd-notify` that writes down what it is told; systemd's own is used in test/e2e. */
function status(t: TestContext) {
  const directory = scratchDirectory(t)
  const told = join(directory, 'told')
  writeFileSync(
    join(directory, 'systemd-notify'),
    `#!/bin/sh\ncase $* in *slowly*) sleep 0.3 ;; esac\nprintf '%s|' "$@" >> ${told}\necho >> ${told}\n`,
  )
  chmodSync(join(directory, 'systemd-notify'), 0o700)
  const { PATH, NOTIFY_SOCKET } = process.env
  process.env['PATH'] = `${directory}:${PATH ?? ''}`
  process.env['NOTIFY_SOCKET'] = join(directory, 'socket')
  t.after(() => {
    process.env['PATH'] = PATH
    if (NOTIFY_SOCKET === undefined) delete process.env['NOTIFY_SOCKET']
    else process.env['NOTIFY_SOCKET'] = NOTIFY_SOCKET
  })
  const log = new RecordingLog()
  return {
    log,
    status: new ServiceStatus(log),
    told: () => (existsSync(told) ? readFileSync(told, 'utf8') : '').trim().split('\n'),
  }
}

test('it tells one after the other what keyrings wait for, and that the service is ready', async (t) => {
  const { status: service, told } = status(t)
  service.take('a', 'waiting, slowly')
  service.take('b', 'waiting too')
  await setImmediate()
  service.take('b', undefined)
  service.take('a', undefined)
  await service.ready('all is well')
  await until('all is told', () => told().length >= 3)
  assert.deepEqual(told(), [
    'STATUS=keyring a: waiting, slowly; keyring b: waiting too|',
    'STATUS=all is well|',
    'READY=1|STATUS=all is well|',
  ])
})

test('what a damaged manifest names as its master key ends no agent', async (t) => {
  const { log, status: service, told } = status(t)
  service.take('a', `waiting for master key \u0000\nREADY=1\n${'x'.repeat(200_000)}`)
  await service.ready('unused')
  const [line = ''] = told().slice(-1)
  assert.ok(/^READY=1\|STATUS=keyring a: waiting for master key READY=1 x+\|$/.test(line), line.slice(0, 200))
  assert.ok(line.length < 3000)
  assert.deepEqual(log.messages('error'), [])
})
