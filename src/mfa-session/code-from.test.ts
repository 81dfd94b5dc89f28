import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, fstatSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { readCodeFrom } from './code-from.ts'

const isRoot = process.getuid?.() === 0

function file(t: TestContext, content: string, mode = 0o600): string {
  const path = join(scratchDirectory(t), 'code')
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

for (const content of [
  '123456',
  '123456\n',
  '123456\r\n',
  ' 123456 \n',
  '123456\nmore of it\n',
  `000000${' '.repeat(57)}\n`,
]) {
  test(`takes the six digits of ${JSON.stringify(content)}`, async (t) => {
    const descriptor = openSync(file(t, content), 'r')
    assert.equal(await readCodeFrom(descriptor), content.trim().slice(0, 6))
    assert.throws(() => fstatSync(descriptor), { code: 'EBADF' }, 'it is closed')
  })
}

for (const content of [
  '',
  '\n',
  '\n123456\n',
  '12345',
  '1234567',
  '12345a',
  '123 456',
  '１２３４５６',
  `${' '.repeat(64)}123456`,
]) {
  test(`refuses ${JSON.stringify(content).slice(0, 20)}, without quoting it`, async (t) => {
    await assert.rejects(readCodeFrom(openSync(file(t, content), 'r')), (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'SR_MFA_CODE')
      assert.match(error.message, /^what file descriptor \d+ holds is not six digits; nothing was started$/)
      return true
    })
  })
}

for (const mode of [0o400, 0o600, 0o640, 0o700]) {
  test(`takes a file of mode ${mode.toString(8)}`, async (t) => {
    assert.equal(await readCodeFrom(openSync(file(t, '123456', mode), 'r')), '123456')
  })
}

for (const mode of [0o644, 0o604, 0o602, 0o622, 0o660, 0o666]) {
  test(`refuses a file of mode ${mode.toString(8)}`, async (t) => {
    const path = file(t, '123456')
    const descriptor = openSync(path, 'r')
    chmodSync(path, mode)
    await assert.rejects(readCodeFrom(descriptor), {
      code: 'SR_MFA_CODE',
      message: `no code is read from file descriptor ${descriptor}: it can be read or written by others (mode 0${mode.toString(8)}); give it mode 0600; nothing was started`,
    })
  })
}

test('refuses the FIFO that the guide to MariaDB’s AWS plugin makes, and takes one of our own', async (t) => {
  const path = join(scratchDirectory(t), 'fifo')
  assert.equal(spawnSync('mkfifo', [path]).status, 0)
  chmodSync(path, 0o622)
  // For reading and writing, so that the open waits for nobody.
  await assert.rejects(readCodeFrom(openSync(path, 'r+')), {
    message: /read or written by others \(mode 0622\)/,
  })
  chmodSync(path, 0o600)
  const writer = openSync(path, 'r+')
  writeFileSync(writer, '654321\n')
  assert.equal(await readCodeFrom(openSync(path, 'r')), '654321')
})

test('refuses another user’s file', { skip: isRoot ? false : 'only root gives a file away' }, async (t) => {
  const path = file(t, '123456')
  chownSync(path, 4242, 4242)
  await assert.rejects(readCodeFrom(openSync(path, 'r')), {
    message: /it belongs to another user \(uid 4242\)/,
  })
})

test('refuses what is neither a file nor a pipe, or is not open', async () => {
  await assert.rejects(readCodeFrom(openSync('/dev/null', 'r')), {
    message: /it is neither a file nor a pipe that was/,
  })
  await assert.rejects(readCodeFrom(99), { message: /descriptor 99 is not open \(EBADF\): add 99<FILE to/ })
})

test('waits for a pipe that does not say anything yet', async () => {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      `import { readCodeFrom } from '${import.meta.dirname}/code-from.ts'; console.log(await readCodeFrom(3))`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] },
  )
  const [, stdout, , input] = child.stdio
  assert.ok(stdout !== null && input !== undefined && input !== null && 'write' in input)
  input.write('98')
  input.write('7654')
  input.end()
  let output = ''
  stdout.on('data', (text: Buffer) => (output += text.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.deepEqual([code, output], [0, '987654\n'])
})
