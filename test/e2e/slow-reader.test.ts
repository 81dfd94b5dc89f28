import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { scratchDirectory } from '../support/scratch.ts'
import { program } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

const lines = 20_000

test('a reader that is slow still gets everything, and one that goes away ends nothing with a fault', async (t) => {
  const root = scratchDirectory(t)
  const files = {
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'etc/mysql/mariadb.conf.d/99-strongroom.cnf': 'an old line\n'.repeat(lines),
    'var/lib/mysql/ibtmp1': '',
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const args = [
    'mariadb',
    'configure',
    '--root',
    root,
    '--listener',
    'plugin',
    '--master-key-id',
    'a',
    '--dry-run',
  ]

  const slow = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => slow.kill('SIGKILL'))
  const closed = once(slow, 'close')
  // More does not come before somebody reads.
  await until('all buffers are full', () => slow.stdout.readableLength >= slow.stdout.readableHighWaterMark)
  const output = await text(slow.stdout)
  await closed
  assert.equal(slow.exitCode, 0)
  assert.equal(output.split('\n').filter((line) => line === '-an old line').length, lines)

  const gone = spawn('sh', ['-c', '"$0" "$@" | head -n 1', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [first, complaints] = await Promise.all([text(gone.stdout), text(gone.stderr)])
  assert.match(first, /^user strongroom is missing/)
  assert.doesNotMatch(complaints, /EPIPE|at .*node:/)
})
