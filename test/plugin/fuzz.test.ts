import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'

const script = join(import.meta.dirname, '../../scripts/fuzz-plugin.ts')

test('a minute of what no agent sends: nothing beyond its bounds, no key in a text, no fault', async (t) => {
  const { code, output } = await fuzz(t, '--seconds', '60')
  assert.equal(code, 0, output)
  t.diagnostic(output)
  // How fast that is, depends on the machine; that everything was reached, does not.
  const reached = [
    ...output.matchAll(
      /(\d+) (inputs|welcomes|keys|answers|messages|conversations|connections|questions)\b/g,
    ),
  ]
  assert.equal(reached.length, 9, output)
  for (const [, count, what] of reached) assert.ok(Number(count) > 10, `${what ?? ''}: ${output}`)
})

test('it does find what it looks for: a step of one byte too far, and a key in a message', async (t) => {
  const overread = await fuzz(t, '--seconds', '30', '--self-test', 'overread')
  assert.notEqual(overread.code, 0)
  assert.match(overread.output, /AddressSanitizer: heap-buffer-overflow/)
  const where = /^fuzz: again with --replay (\d+:\d+)$/m.exec(overread.output)?.[1]
  assert.ok(where !== undefined, overread.output)
  const again = await fuzz(t, '--replay', where, '--self-test', 'overread')
  assert.match(again.output, /AddressSanitizer: heap-buffer-overflow/)
  assert.ok(again.output.includes(`again with --replay ${where}`))

  const secret = await fuzz(t, '--seconds', '30', '--self-test', 'secret')
  assert.notEqual(secret.code, 0)
  assert.match(secret.output, /^fuzz: FAULT: key bytes in a text$/m)
})

async function fuzz(t: TestContext, ...args: string[]) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill())
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, output: out + err }
}
