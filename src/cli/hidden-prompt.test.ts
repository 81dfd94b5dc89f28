import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'

const typist = join(import.meta.dirname, '../../test/e2e/kms-terminal.py')

/** What a terminal shows while these lines are typed, each behind a colon. */
async function shownBy(lines: readonly string[], ...command: readonly string[]): Promise<string> {
  const child = spawn('/usr/bin/python3', [typist, JSON.stringify(lines), ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return (await text(child.stdout)).replaceAll('\r', '')
}

/** A program that asks, then does what `then` says. */
function asking(t: TestContext, then = ''): string {
  const file = join(scratchDirectory(t), 'ask.mjs')
  writeFileSync(
    file,
    `import { hiddenPrompt } from '${join(import.meta.dirname, 'hidden-prompt.ts')}'
const asked = hiddenPrompt()('code: ', new Error('interrupted'))
${then}
console.log('got ' + (await asked.catch((error) => error.message)))\n`,
  )
  return `${process.execPath} --disable-warning=ExperimentalWarning ${file}`
}

test('what is typed does not show, may be mended, and ends at Ctrl-C', async (t) => {
  const ask = ['/bin/sh', '-c', `trap : INT; ${asking(t)}; stty -a | grep -o -- '-*echo '`]
  assert.equal(await shownBy(['12\u00e9\x7f3'], ...ask), 'code: \ngot 123\necho \n')
  assert.equal(await shownBy(['12\x03'], ...ask), 'code: \ngot interrupted\necho \n')
})

for (const signal of ['SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGTERM', 'SIGINT'])
  test(`leaves the terminal as it was at ${signal}`, async (t) => {
    const ask = asking(t, `process.kill(process.pid, '${signal}')`)
    const shown = await shownBy([], '/bin/sh', '-c', `trap : INT; ${ask}; stty -a | grep -o -- '-*echo '`)
    assert.match(shown, /^code: [^-]*echo \n$/)
  })

test('stops at Ctrl-Z, and asks anew when it goes on, without showing what is typed', async (t) => {
  const shell = ['bash', '--norc', '--noprofile', '--noediting', '-i']
  const shown = await shownBy(
    ["PS1=': '", asking(t), '99\x1a', 'fg', '123456', 'exit'],
    '/usr/bin/env',
    'PS1=: ',
    ...shell,
  )
  assert.match(shown, /Stopped[^]*code: \ngot 123456\n/)
  assert.equal(shown.split('123456').length, 2, shown)
})

test('a terminal that has gone is as Ctrl-C', async (t) => {
  const script = asking(t).replaceAll(' ', '", "')
  const hangUp = `
import os, pty, subprocess
ours, its = pty.openpty()
child = subprocess.Popen(["${script}"], stdin=its, stderr=its, stdout=subprocess.PIPE, start_new_session=True)
os.close(its)
while b": " not in os.read(ours, 99): pass
os.close(ours)
print(child.stdout.read().decode(), end="")
`
  const child = spawn('/usr/bin/python3', ['-c', hangUp], { stdio: ['ignore', 'pipe', 'inherit'] })
  assert.equal(await text(child.stdout), 'got interrupted\n')
})
