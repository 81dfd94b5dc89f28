import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { z } from 'zod'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { askAgent } from './admin-client.ts'

async function listen(t: TestContext, answer: RequestListener): Promise<string> {
  const socket = join(scratchDirectory(t), 'admin.sock')
  const server = createServer(answer).listen(socket)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return socket
}

async function ask(socket: string, patience?: number): Promise<unknown> {
  const answer = z.object({ isReady: z.boolean() })
  return await askAgent(socket, {
    method: 'GET',
    path: '/',
    answer,
    ...(patience !== undefined && { patience }),
  })
}

test('hears what an agent answers', async (t) => {
  assert.deepEqual(await ask(await listen(t, (_, response) => response.end('{"isReady":true}'))), {
    isReady: true,
  })
  const refusing = await listen(t, (_, response) =>
    response.writeHead(400).end('{"code":"SR_KEY_ABSENT","message":"no"}'),
  )
  await assert.rejects(ask(refusing), { code: 'SR_KEY_ABSENT', message: 'no' })
})

for (const [name, status, body] of [
  ['no JSON', 200, 'wJalrXUtnFEMI'],
  ['another shape', 200, '{"isReady":"wJalrXUtnFEMI"}'],
  ['a refusal that is none', 400, '["wJalrXUtnFEMI"]'],
] as const) {
  test(`does not quote what is no agent's answer: ${name}`, async (t) => {
    const socket = await listen(t, (_, response) => response.writeHead(status).end(body))
    await assert.rejects(ask(socket), {
      code: 'SR_ADMIN_FAILED',
      message: /^what answers at \S+ is not understood: see that it is an agent/,
    })
  })
}

test('takes no code that is none of ours', async (t) => {
  const socket = await listen(t, (_, response) =>
    response.writeHead(400).end('{"code":"constructor","message":"no"}'),
  )
  await assert.rejects(ask(socket), { code: 'SR_ADMIN_FAILED', message: 'no' })
})

test(
  'does not wait for ever: for an answer, for its end, for its last byte',
  { timeout: 60_000 },
  async (t) => {
    const silent = await listen(t, () => undefined)
    const says = { code: 'SR_ADMIN_FAILED', message: /no answer within 0.3 s/ }
    await assert.rejects(ask(silent, 300), says)
    const halting = await listen(t, (_, response) => response.write('{"isReady":'))
    await assert.rejects(ask(halting, 300), says)
    const endless = await listen(t, (_, response) => {
      const part = 'A'.repeat(1024 * 1024)
      const more = () => {
        while (!response.destroyed && response.write(part));
      }
      response.on('drain', more)
      more()
    })
    await assert.rejects(ask(endless), { code: 'SR_ADMIN_FAILED', message: /its answer is endless/ })
  },
)

test('a socket that nobody listens at', async (t) => {
  await assert.rejects(ask(join(scratchDirectory(t), 'admin.sock')), {
    code: 'SR_ADMIN_FAILED',
    message: /^cannot reach the agent at \S+ \(ENOENT\): see that it runs/,
  })
})
