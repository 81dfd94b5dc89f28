import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { FakeMasterKey } from '../../../test/support/fake-master-key.ts'
import { openKeyring } from '../../../test/support/keyring.ts'
import { PluginClient } from '../../../test/support/plugin-client.ts'
import { RecordingLog } from '../../../test/support/recording-log.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { listenForPlugin, type PluginListener } from './plugin-socket.ts'
import { removeStaleSocket } from './unix-socket.ts'

const ownGroup = process.getegid?.() ?? 0
const isRoot = process.geteuid?.() === 0

interface Place {
  readonly directory: string
  readonly folder: string
  readonly socket: string
  readonly listen: (options?: { groupId?: number; name?: string }) => Promise<PluginListener>
}

async function place(t: TestContext): Promise<Place> {
  const directory = scratchDirectory(t)
  const { keyring: keys } = await openKeyring(t, scratchDirectory(t), new FakeMasterKey())
  return {
    directory,
    folder: join(directory, 'mariadb'),
    socket: join(directory, 'mariadb', 'agent.sock'),
    listen: async ({ groupId = ownGroup, name = 'mariadb' } = {}) => {
      const mount = { name, keys, agreement: { join: () => () => undefined } }
      const listener = await listenForPlugin({ directory, groupId }, mount, new RecordingLog())
      t.after(() => listener.close())
      return listener
    },
  }
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8)
}

async function answers(socket: string): Promise<boolean> {
  const client = await PluginClient.connect(socket)
  client.close()
  return true
}

test('at no moment others can enter: folder and socket are made with the modes that they keep', async (t) => {
  const { folder, socket, listen } = await place(t)
  const before = process.umask(0)
  t.after(() => process.umask(before))
  const seen = new Set<string>()
  const turn = { isOver: false }
  const listening = listen().finally(() => (turn.isOver = true))
  while (!turn.isOver) {
    if (existsSync(folder)) seen.add(`folder ${modeOf(folder)}`)
    if (existsSync(socket)) seen.add(`socket ${modeOf(socket)}`)
    await setImmediate()
  }
  assert.equal((await listening).socket, socket)
  assert.deepEqual([modeOf(folder), modeOf(socket)], ['710', '660'])
  assert.ok([...seen].every((mode) => ['folder 700', 'folder 710', 'socket 660'].includes(mode)))
  assert.equal(statSync(socket).gid, ownGroup)
  assert.equal(process.umask(0), 0)
})

test('the folder is given to the group, and so is the socket', { skip: !isRoot }, async (t) => {
  const { folder, socket, listen } = await place(t)
  await listen({ groupId: 54_321 })
  assert.deepEqual([statSync(folder).gid, statSync(socket).gid], [54_321, 54_321])
  assert.deepEqual([modeOf(folder), modeOf(socket)], ['710', '660'])
})

test('a folder of our own from a former run is used, and brought to its mode', async (t) => {
  const { folder, socket, listen } = await place(t)
  mkdirSync(folder)
  chmodSync(folder, 0o770)
  await listen()
  assert.equal(modeOf(folder), '710')
  assert.ok(await answers(socket))
})

test('a socket that a killed agent left behind is replaced, one at which an agent answers is not', async (t) => {
  const { folder, socket, listen } = await place(t)
  mkdirSync(folder, { mode: 0o700 })
  await leaveSocket(socket)
  assert.ok(existsSync(socket))
  await listen()
  assert.ok(await answers(socket))
  await assert.rejects(listen(), {
    code: 'SR_LISTEN_FAILED',
    message: `cannot listen at ${socket}: another agent answers there; end that agent, or see to what is there`,
  })
  assert.ok(await answers(socket))
})

test('a socket whose listener is too busy to take one more connection is left alone', async (t) => {
  const { folder, socket, listen } = await place(t)
  mkdirSync(folder, { mode: 0o700 })
  const busy = createServer()
  t.after(() => busy.close())
  await new Promise<void>((resolve) => busy.listen({ path: socket, backlog: 1 }, resolve))
  // None of them is taken before this function waits for something.
  const others = Array.from({ length: 3 }, () => connect(socket).on('error', () => undefined))
  t.after(() => {
    for (const other of others) other.destroy()
  })
  const removing = removeStaleSocket(socket, (reason) => new Error(reason))
  await assert.rejects(removing, { message: 'another agent may listen there (EAGAIN)' })
  assert.ok(existsSync(socket))
  await assert.rejects(listen(), { code: 'SR_LISTEN_FAILED', message: /another agent/ })
  assert.ok(existsSync(socket))
})

test('what is no socket is left alone', async (t) => {
  const { folder, socket, listen } = await place(t)
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(socket, 'data')
  await assert.rejects(listen(), {
    code: 'SR_LISTEN_FAILED',
    message: /something that is no socket is there/,
  })
  assert.equal(statSync(socket).size, 4)
})

test('a folder that others may enter, of another user, or that is none, is refused', async (t) => {
  const { directory, folder, listen } = await place(t)
  const says = (message: RegExp) => ({ code: 'SR_LISTEN_FAILED', message })
  symlinkSync(directory, folder)
  await assert.rejects(listen(), says(/is no directory: remove it/))
  mkdirSync(join(directory, 'open'))
  chmodSync(join(directory, 'open'), 0o711)
  await assert.rejects(listen({ name: 'open' }), says(/every user may enter .*open: take that right away/))
  if (!isRoot) return
  mkdirSync(join(directory, 'foreign'), { mode: 0o700 })
  chownSync(join(directory, 'foreign'), 54_321, ownGroup)
  await assert.rejects(
    listen({ name: 'foreign' }),
    says(/belongs to user 54321, neither to the agent's nor to root/),
  )
  chownSync(directory, 54_321, ownGroup)
  await assert.rejects(listen(), says(/^cannot listen at \S+: \S+ belongs to user 54321, .* give it to the/))
})

test('a group that the agent is not in is refused, with what to do', { skip: !isRoot }, async (t) => {
  const { directory, listen } = await place(t)
  chownSync(directory, 54_321, 54_321)
  const { setegid, seteuid } = process
  assert.ok(setegid !== undefined && seteuid !== undefined)
  setegid(54_321)
  seteuid(54_321)
  try {
    await assert.rejects(listen({ groupId: 54_322 }), {
      code: 'SR_LISTEN_FAILED',
      message: /may not give .*mariadb to group 54322 \(EPERM\): add that user to the group, or set group/,
    })
  } finally {
    seteuid(0)
    setegid(ownGroup)
  }
})

test('a directory that is missing is not made, and one that everybody may write to is refused', async (t) => {
  const { directory, listen } = await place(t)
  const missing = join(directory, 'run')
  const { keyring: keys } = await openKeyring(t, scratchDirectory(t), new FakeMasterKey())
  const mount = { name: 'mariadb', keys, agreement: { join: () => () => undefined } }
  await assert.rejects(
    listenForPlugin({ directory: missing, groupId: ownGroup }, mount, new RecordingLog()),
    {
      code: 'SR_LISTEN_FAILED',
      message: /run is not there: make it, .*RuntimeDirectory=strongroom/,
    },
  )
  assert.equal(existsSync(missing), false)
  chmodSync(directory, 0o777)
  await assert.rejects(listen(), { code: 'SR_LISTEN_FAILED', message: /every user may write to/ })
})

test('a path that is too long for a socket is named with both lengths', async (t) => {
  const { listen, directory } = await place(t)
  const name = 'k'.repeat(107 - join(directory, '', 'agent.sock').length - 1)
  await listen({ name })
  await assert.rejects(listen({ name: `${name}k` }), {
    code: 'SR_LISTEN_FAILED',
    message: /the path has 108 bytes, a socket's may have 107: choose a shorter directory/,
  })
})

/** What a killed process leaves: a socket at which nobody listens. */
async function leaveSocket(path: string): Promise<void> {
  const hidden = `${path}.alive`
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(hidden, resolve))
  renameSync(hidden, path)
  await new Promise((resolve) => server.close(resolve))
}
