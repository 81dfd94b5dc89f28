import assert from 'node:assert/strict'
import { lchownSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { isSeen } from '../looked.ts'
import { askPrimary } from './primary.ts'

const skip = process.getuid?.() === 0 ? false : 'only root can give files to another'

test('no line of another’s file is sent to whom the server calls its primary', { skip }, async (t) => {
  const directory = scratchDirectory(t)
  const owner = 65534
  lchownSync(directory, owner, owner)
  const secret = join(scratchDirectory(t), 'secret')
  writeFileSync(secret, '1\n2\n3\n4\n5\nthe-secret\n')
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const ask = async (name: string) => {
    const answer = await askPrimary({ host: '127.0.0.1', port, user: 'r', usesTls: false, name }, directory)
    assert.ok(!isSeen(answer))
    return answer.unseen
  }
  symlinkSync(secret, join(directory, 'master.info'))
  lchownSync(join(directory, 'master.info'), owner, owner)
  assert.match(await ask(''), /a link to a file of another owner/)
  writeFileSync(join(directory, 'master-b.info'), '1\n2\n3\n4\n5\nthe-secret\n')
  assert.match(await ask('b'), /master-b.info does not belong to the owner of/)
  assert.match(await ask('../../x'), /no name of which a file could be made/)
  assert.equal(connections, 0)
  lchownSync(join(directory, 'master-b.info'), owner, owner)
  await ask('B')
  assert.equal(connections, 1)
})
