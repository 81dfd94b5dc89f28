import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { requireAgentSocket } from './agent-socket.ts'

const onlyRoot = process.getuid?.() === 0 ? false : 'only root gives files away'
const agentUser = 4242
const stranger = 4343

interface Place {
  /** run/strongroom/admin.sock in a scratch directory. */
  readonly socket: string
  readonly run: string
  readonly folder: string
}

async function place(t: TestContext, owner?: number): Promise<Place> {
  const run = join(scratchDirectory(t), 'run')
  const folder = join(run, 'strongroom')
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const socket = join(folder, 'admin.sock')
  const server = createServer().listen(socket)
  t.after(() => server.close())
  await once(server, 'listening')
  chmodSync(socket, 0o600)
  if (owner !== undefined) for (const path of [folder, socket]) chownSync(path, owner, owner)
  return { socket, run, folder }
}

test('trusts our own socket, in a directory of ours, also by a symbolic link', async (t) => {
  const { socket, run } = await place(t)
  requireAgentSocket(socket)
  symlinkSync(socket, join(run, 'link'))
  requireAgentSocket(join(run, 'link'))
})

test('trusts the agent’s user in the directory that root gave it', { skip: onlyRoot }, async (t) => {
  const { socket } = await place(t, agentUser)
  requireAgentSocket(socket)
})

test('trusts what root has in a directory such as /tmp', { skip: onlyRoot }, async (t) => {
  const { socket, run } = await place(t)
  chmodSync(run, 0o1777)
  requireAgentSocket(socket)
})

for (const [name, spoil, says] of [
  [
    'a socket for others',
    ({ socket }: Place) => {
      chmodSync(socket, 0o660)
    },
    /others may connect to it \(mode 0660\)/,
  ],
  [
    'a directory for everybody',
    ({ folder }: Place) => {
      chmodSync(folder, 0o777)
    },
    /strongroom can be written by others \(mode 0777\)/,
  ],
  [
    'a directory for a group',
    ({ folder }: Place) => {
      chmodSync(folder, 0o770)
    },
    /can be written by others \(mode 0770\)/,
  ],
  [
    'one further up',
    ({ run }: Place) => {
      chmodSync(run, 0o777)
    },
    /run can be written by others/,
  ],
] as const) {
  test(`refuses ${name}`, async (t) => {
    const made = await place(t)
    spoil(made)
    assert.throws(
      () => {
        requireAgentSocket(made.socket)
      },
      { code: 'SR_ADMIN_UNTRUSTED', message: says },
    )
  })
}

test('refuses whoever came first in a directory such as /tmp', { skip: onlyRoot }, async (t) => {
  const { socket, run } = await place(t, stranger)
  chmodSync(run, 0o1777)
  assert.throws(
    () => {
      requireAgentSocket(socket)
    },
    {
      code: 'SR_ADMIN_UNTRUSTED',
      message: /run can be written by others, and what is in it is of uid 4343; nothing was started$/,
    },
  )
})

test('refuses a directory of neither root’s, ours nor the socket’s owner', { skip: onlyRoot }, async (t) => {
  const { socket, run } = await place(t, agentUser)
  chownSync(run, stranger, stranger)
  assert.throws(
    () => {
      requireAgentSocket(socket)
    },
    { message: /run is another user's \(uid 4343\)/ },
  )
})

test('refuses a symbolic link that anybody may have made', { skip: onlyRoot }, async (t) => {
  const { socket, run } = await place(t, stranger)
  requireAgentSocket(socket)
  const shared = join(run, 'shared')
  mkdirSync(shared)
  chmodSync(shared, 0o1777)
  symlinkSync(join(run, 'strongroom'), join(shared, 'link'))
  lchownSync(join(shared, 'link'), stranger, stranger)
  symlinkSync(join(shared, 'link'), join(run, 'ours'))
  for (const path of [join(shared, 'link/admin.sock'), join(run, 'ours/admin.sock')]) {
    assert.throws(
      () => {
        requireAgentSocket(path)
      },
      {
        code: 'SR_ADMIN_UNTRUSTED',
        message: /shared can be written by others, and what is in it is of uid 4343/,
      },
    )
  }
  symlinkSync('loop', join(run, 'loop'))
  assert.throws(
    () => {
      requireAgentSocket(join(run, 'loop/admin.sock'))
    },
    { code: 'SR_ADMIN_FAILED', message: /too many symbolic links/ },
  )
})

test('refuses what is no socket, and what is not there', (t) => {
  const path = join(scratchDirectory(t), 'admin.sock')
  assert.throws(
    () => {
      requireAgentSocket(path)
    },
    { code: 'SR_ADMIN_FAILED', message: /\(ENOENT\): see that the agent runs/ },
  )
  writeFileSync(path, '', { mode: 0o600 })
  assert.throws(
    () => {
      requireAgentSocket(path)
    },
    { code: 'SR_ADMIN_UNTRUSTED', message: /it is no socket/ },
  )
})
