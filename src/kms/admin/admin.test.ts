import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { StrongroomError } from '../../errors.ts'
import { askRunningService } from './client.ts'
import type { AdminHandlers } from './handlers.ts'
import { openAdminSocket } from './server.ts'

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-admin-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return directory
}

async function listen(t: TestContext, directory: string, handlers: AdminHandlers = {}): Promise<void> {
  const socket = await openAdminSocket(directory, handlers, pino({ level: 'silent' }))
  t.after(() => socket.close())
}

test('a request reaches its handler, and the answer comes back', async (t) => {
  const directory = scratch(t)
  await listen(t, directory, {
    '/double': (body) => ({ asked: body, answer: 2 }),
    '/status': async () => Promise.resolve(['a', 'b']),
    '/nothing': () => undefined,
  })
  assert.deepEqual(await askRunningService(directory, '/double', { n: 1 }), {
    body: { asked: { n: 1 }, answer: 2 },
  })
  assert.deepEqual(await askRunningService(directory, '/status'), { body: ['a', 'b'] })
  assert.deepEqual(await askRunningService(directory, '/nothing'), { body: {} })
  assert.equal(statSync(join(directory, 'admin.sock')).mode & 0o777, 0o600)
})

test("a handler's error comes back with its code; of another only the message", async (t) => {
  const directory = scratch(t)
  await listen(t, directory, {
    '/refused': () => {
      throw new StrongroomError('SR_KMS_DIRECTORY', 'not there')
    },
    '/broken': () => {
      throw new TypeError('no such thing')
    },
  })
  await assert.rejects(askRunningService(directory, '/refused'), {
    name: 'StrongroomError',
    code: 'SR_KMS_DIRECTORY',
    message: 'not there',
  })
  await assert.rejects(askRunningService(directory, '/broken'), {
    code: 'SR_KMS_ADMIN',
    message: 'the service failed: no such thing',
  })
  await assert.rejects(askRunningService(directory, '/unheard-of'), {
    code: 'SR_KMS_ADMIN',
    message: /does not know/,
  })
  await assert.rejects(askRunningService(directory, '/toString'), { code: 'SR_KMS_ADMIN' })
})

test('no service runs: undefined, also where a killed one left its socket, which the next one replaces', async (t) => {
  const directory = scratch(t)
  assert.equal(await askRunningService(directory, '/status'), undefined)
  await leaveSocketBehind(join(directory, 'admin.sock'))
  assert.equal(existsSync(join(directory, 'admin.sock')), true)
  assert.equal(await askRunningService(directory, '/status'), undefined)
  await listen(t, directory, { '/status': () => 1 })
  assert.deepEqual(await askRunningService(directory, '/status'), { body: 1 })
})

test('what is no socket is not removed', async (t) => {
  const directory = scratch(t)
  writeFileSync(join(directory, 'admin.sock'), 'precious')
  await assert.rejects(openAdminSocket(directory, {}, pino({ level: 'silent' })), {
    code: 'SR_KMS_ADMIN',
    message: /something else than a socket is there/,
  })
  assert.equal(readFileSync(join(directory, 'admin.sock'), 'utf8'), 'precious')
})

test('a directory whose path is too long for a socket does as well', async (t) => {
  const directory = join(scratch(t), 'd'.repeat(100), 'e'.repeat(100))
  mkdirSync(directory, { recursive: true })
  await listen(t, directory, { '/status': () => 1 })
  assert.deepEqual(await askRunningService(directory, '/status'), { body: 1 })
  assert.equal(statSync(join(directory, 'admin.sock')).mode & 0o777, 0o600)
})

test('closing waits for what was asked, and takes the socket away', async (t) => {
  const directory = scratch(t)
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<undefined>()
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>()
  const socket = await openAdminSocket(
    directory,
    {
      '/slow': async () => {
        isAsked(undefined)
        await released
        return 'done'
      },
    },
    pino({ level: 'silent' }),
  )
  const answer = askRunningService(directory, '/slow')
  await asked
  const closed = socket.close()
  release(undefined)
  assert.deepEqual(await answer, { body: 'done' })
  await closed
  assert.equal(existsSync(join(directory, 'admin.sock')), false)
})

test('clients that connect and send nothing, or half a request, do not keep the socket from closing', async (t) => {
  const directory = scratch(t)
  const socket = await openAdminSocket(directory, { '/slow': () => 1 }, pino({ level: 'silent' }))
  const hanging = [
    '',
    'POST /slow HTTP/1.1\r\n',
    'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{',
  ]
  const ended = hanging.map(async (text) => {
    const client = connect(join(directory, 'admin.sock'))
    client.on('error', () => undefined)
    await once(client, 'connect')
    if (text !== '') await new Promise((resolve) => client.write(text, resolve))
    return client
  })
  const clients = await Promise.all(ended)
  // Its answer comes after the service has seen what the others sent.
  assert.deepEqual(await askRunningService(directory, '/slow'), { body: 1 })
  const closed = clients.filter((client) => !client.closed).map((client) => once(client, 'close'))
  await socket.close()
  await Promise.all(closed)
})

test('a body above 1 MiB is refused', async (t) => {
  const directory = scratch(t)
  await listen(t, directory, { '/double': () => 1 })
  await assert.rejects(askRunningService(directory, '/double', 'x'.repeat(1_048_577)), {
    code: 'SR_KMS_ADMIN',
  })
})

/** As a process does that is killed: bound, never unlinked. */
async function leaveSocketBehind(path: string): Promise<void> {
  const server = createServer()
  const moved = `${path}.moved`
  await new Promise<void>((resolve) => server.listen(moved, resolve))
  renameSync(moved, path)
  await new Promise((resolve) => server.close(resolve))
  chmodSync(path, 0o600)
}
