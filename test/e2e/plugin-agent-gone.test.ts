import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { encodeFrame, FrameReader, headerLength } from '../../src/agent/listeners/plugin-frames.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { manifestFileName, parseManifest } from '../../src/keyring/manifest.ts'
import { messageOf } from '../../src/errors.ts'
import { errorsInLog, lengthOfLog } from '../../src/mariadb/error-log.ts'
import { pluginOf, serverStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'

/** One server that runs all the time, whatever becomes of its agent. */
let stack: Stack
let pid: number
const requestTimeout = 1000
/** A statement asks for a key a few times at most, and the machine may be busy. */
const promptly = 20 * requestTimeout

before(async () => {
  stack = await serverStack({
    listener: 'plugin',
    server: { 'aws-key-management-request-timeout': String(requestTimeout) },
  })
  pid = stack.server.pid
  keyringId = parseManifest(readFileSync(join(stack.dataDirectory, manifestFileName), 'utf8'), 'manifest').id
  await stack.server.query('CREATE DATABASE d')
  await stack.server.query('CREATE TABLE d.t (n INT PRIMARY KEY) ENCRYPTION_KEY_ID=3')
})

after(() => stack.remove())

test('K3: the agent gone: what is held goes on, what is not fails in time and says why', async () => {
  await stack.agent.stop('SIGKILL')
  await useHeldKeys()
  await until('the plugin knows', async () => (await status()).agent !== 'connected')

  assert.match((await status()).agent ?? '', /Connection refused|it closed the connection/)
  assert.match(await failure('CREATE TABLE d.fresh (n INT) ENCRYPTION_KEY_ID=77'), /errno: 140/)
  const { socket } = pluginOf(stack)
  const [said = ''] = (await errorsInLog(stack.prepared.errorLog)).filter((line) =>
    line.includes('no key 77: '),
  )
  assert.ok(
    said.includes(`the agent at ${socket} was not to be had within 1000 ms (Connection refused)`),
    said,
  )
  assert.match(
    await failure('SET GLOBAL aws_key_management_rotate_key = 1'),
    /was not to be had within 1000 ms/,
  )
  assert.equal((await status()).keys, '3')
})

test('the agent restarted: the server is connected again by itself', async () => {
  await stack.startAgent()
  await useMissingKey(77)
  assert.equal((await status()).agent, 'connected')
  assert.equal((await status()).keys, '4')
  const log = readFileSync(stack.prepared.errorLog, 'utf8')
  assert.match(
    log,
    /AWS KMS plugin: the agent at \S+ is gone \(.*\): held keys are served, and it is tried again/,
  )
  assert.match(log, /AWS KMS plugin: connected to the agent at /)
})

/** As the agent's is, which the plugin compares. */
let keyringId = ''

function welcomeFrom(id: string): Buffer {
  const options = new Map([
    ['keyring', 'mariadb'],
    ['keyring-id', id],
  ])
  return encodeFrame({ type: 'welcome', version: 1, options })
}

function keyFrame(keyId: number, request: number): Buffer {
  const bytes = randomBytes(32)
  return encodeFrame({ type: 'key', keyId, version: 1, request, isLatest: true, isGenerated: false, bytes })
}

/** What is behind the socket in the agent's place, and what the error log says of a key that was wanted meanwhile. */
const others: { what: string; says: RegExp; meet: (socket: Socket) => void }[] = [
  {
    what: 'accepts and never says anything',
    says: /was not to be had within 1000 ms \(/,
    meet: () => undefined,
  },
  {
    what: 'closes at once',
    says: /closed the connection|the connection broke/,
    meet: (socket) => socket.destroy(),
  },
  {
    what: 'sends garbage without end',
    says: /does not keep to the protocol|the connection broke/,
    meet: (socket) => {
      const send = () => {
        while (socket.writable && socket.write(randomBytes(4096)));
      }
      socket.on('drain', send)
      send()
    },
  },
  {
    what: 'sends half a header',
    says: /was not to be had within 1000 ms \(/,
    meet: (socket) => socket.write(welcomeFrom(keyringId).subarray(0, headerLength / 2)),
  },
  {
    what: 'sends half a header and closes',
    says: /closed the connection/,
    meet: (socket) => socket.end(welcomeFrom(keyringId).subarray(0, headerLength / 2)),
  },
  {
    what: 'speaks another version of the protocol',
    says: /does not keep to the protocol/,
    meet: (socket) => {
      socket.write(encodeFrame({ type: 'welcome', version: 2, options: new Map() }))
    },
  },
  {
    what: 'has another keyring',
    says: /it now has keyring abcd, and this server was started with [0-9a-f]{32}: restart the server/,
    meet: (socket) => socket.write(welcomeFrom('abcd')),
  },
  {
    what: 'welcomes and never answers',
    says: /the agent at \S+ did not answer within 1000 ms$/,
    meet: (socket) => socket.write(welcomeFrom(keyringId)),
  },
  {
    what: 'answers with half a key',
    says: /did not answer within|it did not answer in time/,
    meet: (socket) => {
      answerAll(socket, (request) => keyFrame(88, request).subarray(0, headerLength + 16))
    },
  },
  {
    what: 'answers with the key of another id',
    says: /does not keep to the protocol/,
    meet: (socket) => {
      answerAll(socket, (request) => keyFrame(89, request))
    },
  },
  {
    what: 'asks to ask again, for ever',
    says: /the agent at \S+ did not answer within 1000 ms$/,
    meet: (socket) => {
      answerAll(socket, (request) =>
        encodeFrame({
          type: 'failed',
          request,
          keyId: 0,
          version: 0,
          undecrypted: false,
          again: true,
          text: '',
        }),
      )
    },
  },
]

for (const [index, { what, says, meet }] of others.entries()) {
  test(`in the agent's place something ${what}: the server lives, and waits for nothing without limit`, async (t) => {
    await stack.agent.stop()
    const from = await lengthOfLog(stack.prepared.errorLog)
    const met = await standIn(t, meet)
    await until('the plugin has met it', met)
    const keyId = 200 + index
    assert.match(await failure(`CREATE TABLE d.at_${keyId} (n INT) ENCRYPTION_KEY_ID=${keyId}`), /errno: 140/)
    await useHeldKeys()
    const lines = await errorsInLog(stack.prepared.errorLog, { from })
    const said = lines.filter((line) => line.includes(`AWS KMS plugin: no key ${keyId}: the agent at `))
    assert.equal(said.length, 1, lines.join('\n'))
    assert.match(said[0] ?? '', says)
    assert.equal(stack.server.pid, pid)
    assert.ok(stillRuns(pid))
  })
}

test('after all of them it takes to its agent again, and no key has changed', async () => {
  await stack.startAgent()
  await useMissingKey(78)
  const lines = await errorsInLog(stack.prepared.errorLog, { limit: 1000 })
  assert.deepEqual(
    lines.filter((line) => line.includes('has other bytes')),
    [],
  )
  await stack.stopServer()
  const server = await stack.startServer()
  assert.equal((await server.query('SELECT n FROM d.t')).length > 0, true)
})

test('at a start, too: an agent that never answers ends it, with the reason', async (t) => {
  await stack.stopServer()
  await stack.agent.stop()
  await standIn(t, () => undefined)
  const from = await lengthOfLog(stack.prepared.errorLog)
  const begun = performance.now()
  await assert.rejects(stack.startServer(), { code: 'SR_MARIADB_START', message: /exit code 1/ })
  assert.ok(performance.now() - begun < promptly)
  const [first = ''] = await errorsInLog(stack.prepared.errorLog, { from, limit: 100 })
  assert.match(first, /AWS KMS plugin: the agent at \S+ was not to be had within 1000 ms \(/)
})

/** The latest version and the key itself of ids that are held, in tables, binary and temporary files. */
async function useHeldKeys(): Promise<void> {
  const { server } = stack
  const begun = performance.now()
  const logs = (await server.query('SHOW BINARY LOGS')).length
  await server.query('FLUSH BINARY LOGS')
  const [row] = await server.query('SELECT COUNT(*) AS n FROM d.t')
  await server.query('INSERT INTO d.t VALUES (?)', [Number(row?.['n'])])
  await server.query(
    'CREATE OR REPLACE TABLE d.copy (n INT PRIMARY KEY) ENCRYPTION_KEY_ID=3 SELECT n FROM d.t',
  )
  assert.equal((await server.query('SHOW BINARY LOGS')).length, logs + 1)
  assert.ok(performance.now() - begun < promptly)
}

/** Waits for the agent and makes a table with a key that was not held. */
async function useMissingKey(keyId: number): Promise<void> {
  await until('the plugin is connected', async () => (await status()).agent === 'connected')
  await stack.server.query(`CREATE TABLE d.with_${keyId} (n INT) ENCRYPTION_KEY_ID=${keyId}`)
}

/** How a statement fails, which it must do promptly. */
async function failure(sql: string): Promise<string> {
  const begun = performance.now()
  const message = await stack.server.query(sql).then(() => 'it did not fail', messageOf)
  assert.ok(performance.now() - begun < promptly, message)
  return message
}

async function status(): Promise<{ agent?: string; keys?: string }> {
  const rows = await stack.server.query("SHOW GLOBAL STATUS LIKE 'Aws_key_management_%'")
  return Object.fromEntries(
    rows.map((row) => [
      String(row['Variable_name']).replace('Aws_key_management_', ''),
      String(row['Value']),
    ]),
  )
}

/** Listens in the agent's place until the test ends; resolves to a function that tells whether the plugin has come. */
async function standIn(t: TestContext, meet: (socket: Socket) => void): Promise<() => boolean> {
  const { socket: path } = pluginOf(stack)
  const sockets = new Set<Socket>()
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    socket.resume()
    meet(socket)
  })
  let count = 0
  server.on('connection', () => count++)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  chownSync(path, statSync(dirname(path)).uid, statSync(dirname(path)).gid)
  chmodSync(path, 0o660)
  t.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return () => count > 0
}

/** Welcomes, then answers whatever is asked for. */
function answerAll(socket: Socket, answer: (request: number) => Buffer): void {
  const reader = FrameReader.fromPlugin()
  socket.on('data', (chunk) => {
    for (const frame of reader.read(chunk)) {
      if (frame.type === 'hello') socket.write(welcomeFrom(keyringId))
      // What is latest is asked for by itself, with a number of its own.
      else if (frame.request < 0xffff_ffff) socket.write(answer(frame.request))
    }
  })
}

function stillRuns(id: number): boolean {
  return statSync(`/proc/${id}`, { throwIfNoEntry: false }) !== undefined
}
