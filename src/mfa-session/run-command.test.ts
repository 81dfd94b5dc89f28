import assert from 'node:assert/strict'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { findCommand, runCommand } from './run-command.ts'

test('what can not be run is told of, and no signal is kept from us then', async (t) => {
  const directory = scratchDirectory(t)
  const noInterpreter = join(directory, 'no-interpreter')
  writeFileSync(noInterpreter, '#!/nowhere\n', { mode: 0o700 })
  const beingWritten = join(directory, 'being-written')
  writeFileSync(beingWritten, '', { mode: 0o700 })
  const descriptor = openSync(beingWritten, 'a')
  t.after(() => {
    closeSync(descriptor)
  })
  for (const [command, why] of [
    [[noInterpreter], 'ENOENT'],
    [[beingWritten], 'ETXTBSY'],
    [['/bin/echo', 'x'.repeat(200_000)], 'E2BIG'],
  ] as const) {
    await assert.rejects(runCommand(command, process.env), {
      code: 'SR_USAGE',
      message: `cannot run ${command[0]} (${why})`,
    })
  }
  assert.equal(process.listenerCount('SIGTERM'), 0)
})

test('a program is found as a shell finds it', (t) => {
  const directory = scratchDirectory(t)
  writeFileSync(join(directory, 'no-program'), '', { mode: 0o600 })
  writeFileSync(join(directory, 'program'), '', { mode: 0o700 })
  const path = `${join(directory, 'none')}:${directory}`
  assert.equal(findCommand('program', path), join(directory, 'program'))
  assert.equal(findCommand(join(directory, 'program'), ''), join(directory, 'program'))
  for (const name of ['no-program', 'none', directory, ''])
    assert.throws(() => findCommand(name, path), { code: 'SR_USAGE', message: /^there is no command "/ })
})
