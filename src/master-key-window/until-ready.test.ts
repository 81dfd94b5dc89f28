import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { waitUntilReady } from './until-ready.ts'

const never = new AbortController().signal

test('a command is asked until it exits 0, and its last words say why it does not', async (t) => {
  const file = join(scratchDirectory(t), 'ready')
  const said: string[] = []
  const waiting = waitUntilReady(`echo one; echo down >&2; test -e ${file}`, never, (words) =>
    said.push(words),
  )
  await until('it was asked', () => said.length > 0)
  writeFileSync(file, '')
  const { isReady, looks } = await waiting
  assert.ok(isReady && looks >= 2)
  assert.match(said[0] ?? '', /^`echo one.*`: exit code 1: down$/)
})

test('what it began is ended with the window', async (t) => {
  const file = join(scratchDirectory(t), 'pid')
  const over = new AbortController()
  const waiting = waitUntilReady(`sleep 300 & echo $! > ${file}; wait`, over.signal)
  await until('it runs', () => /\d+\n/.test(textOf(file)))
  over.abort()
  assert.equal((await waiting).isReady, false)
  const pid = Number(textOf(file))
  await until(
    'the command of the command is gone',
    () => !/^State:\t[^ZX]/m.test(textOf(`/proc/${pid}/status`)),
  )
})

test('the credentials of the administrator are not in its environment', async (t) => {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']
  const before = { ...process.env }
  t.after(() => {
    for (const name of names) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, before)
  })
  for (const name of names) process.env[name] = 'AKIAIOSFODNN7EXAMPLE'
  const file = join(scratchDirectory(t), 'environment')
  await waitUntilReady(`env > ${file}`, never)
  assert.match(textOf(file), /^PATH=/m)
  assert.ok(!textOf(file).includes('AKIAIOSFODNN7EXAMPLE'))
})

test('a URL has to answer 2xx by itself', async (t) => {
  const answers = [500, 302, 204]
  const server = createServer((_request, response) => {
    response.writeHead(answers.shift() ?? 200, { location: '/elsewhere' }).end()
  })
  t.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`
  const said: string[] = []
  assert.equal((await waitUntilReady(url, never, (words) => said.push(words))).looks, 3)
  assert.deepEqual(said, [`${url} answers 500`, `${url} answers 302`])
})

test('a URL that does not answer is told with the reason', async () => {
  const over = new AbortController()
  const { isReady, said } = await waitUntilReady('http://127.0.0.1:1/', over.signal, () => {
    over.abort()
  })
  assert.equal(isReady, false)
  assert.match(said, /does not answer \(\S/)
})

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
