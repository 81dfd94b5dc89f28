import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { grantedTo } from './access-list.ts'
import { Accounts } from './accounts.ts'
import { apply } from './apply.ts'
import { compare, type Host, isDifference } from './difference.ts'
import { unsafeWays, wrongKinds } from './obstacles.ts'
import type { Piece } from './piece.ts'
import { Tree } from './tree.ts'

const skip = process.getuid?.() === 0 ? false : 'only root can give files away'
const database = 61

/** A tree in which /srv/db is the database user's, and /etc is root's. */
function hostIn(t: TestContext): Host & { readonly root: string } {
  const root = scratchDirectory(t)
  for (const folder of ['etc', 'srv/db/data']) mkdirSync(join(root, folder), { recursive: true })
  for (const folder of ['srv/db', 'srv/db/data']) chownSync(join(root, folder), database, database)
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0::/:/bin/sh\nmysql:x:61:61::/:/bin/false\nstrongroom:x:71:71::/:/bin/false\n',
  )
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nmysql:x:61:\nstrongroom:x:71:\n')
  const tree = new Tree(root)
  return { root, tree, accounts: new Accounts(tree), ownersCount: true }
}

const owned = { owner: 'root', group: 'root', mode: 0o640 }
const file = (path: string): Piece => ({ kind: 'file', path, ...owned, content: Buffer.from('ours') })
const access = (path: string): Piece => ({ kind: 'access', path, user: 'strongroom', rights: 'rwx' })
const objections = (host: Host, pieces: Piece[]) => unsafeWays(host, compare(host, pieces))

test('root writes nothing where another user decides what lies there', { skip }, (t) => {
  const host = hostIn(t)
  symlinkSync('/srv/db', join(host.root, 'etc/link'))
  symlinkSync('/etc', join(host.root, 'srv/db/out'))
  writeFileSync(join(host.root, 'srv/db/file'), '')
  mkdirSync(join(host.root, 'srv/open'))
  chmodSync(join(host.root, 'srv/open'), 0o1777)
  mkdirSync(join(host.root, 'srv/group'))
  chownSync(join(host.root, 'srv/group'), 0, database)
  chmodSync(join(host.root, 'srv/group'), 0o775)
  const pieces: Piece[] = [
    file('/srv/db/plugin.so'),
    file('/etc/link/plugin.so'),
    file('/srv/db/out/cron'),
    file('/srv/open/token'),
    file('/srv/group/token'),
    { kind: 'link', path: '/srv/db/unit', target: '/etc/unit' },
    { kind: 'directory', path: '/srv/db/files', ...owned },
    { kind: 'secret-file', path: '/srv/db/out/passwd', ...owned, mode: 0o600, remedy: '' },
    { kind: 'no-file', path: '/srv/db/file' },
    access('/srv/db/out'),
  ]
  const said = objections(host, pieces)
  assert.equal(said.length, pieces.length, said.join('\n'))
  assert.match(said[0] ?? '', /^\/srv\/db\/plugin\.so: others than root can write in .*\/srv\/db, so that/)
  assert.deepEqual(objections(host, [file('/etc/agent.conf'), access('/srv/db'), access('/srv/db/data')]), [])
  assert.deepEqual(unsafeWays({ ...host, ownersCount: false }, compare(host, pieces)), [])
})

test('an access list goes to the folder that was looked at, not to what takes its place', { skip }, (t) => {
  const host = hostIn(t)
  for (const [folder, owner] of [
    ['srv/db/way/data', database],
    ['home/data', 1000],
    ['opt/data', 0],
  ] as const) {
    mkdirSync(join(host.root, folder), { recursive: true })
    chownSync(join(host.root, folder), owner, owner)
  }
  const swapped: [path: string, link: string, target: string][] = [
    ['/srv/db/data', 'srv/db/data', '../../home/data'],
    ['/srv/db/way/data', 'srv/db/way', '../../opt'],
  ]
  for (const [path, link, target] of swapped) {
    const differences = compare(host, [access(path)]).filter(isDifference)
    assert.equal(differences.length, 1)
    // `place` has been asked by then: what follows is the moment between it and setfacl.
    const place = host.tree.place(path)
    const placeOf = host.tree.place.bind(host.tree)
    t.mock.method(host.tree, 'place', (asked: string) => (asked === path ? place : placeOf(asked)))
    renameSync(join(host.root, link), join(host.root, `${link}-away`))
    symlinkSync(target, join(host.root, link))
    assert.throws(
      () => {
        apply(host, differences)
      },
      { code: 'SR_DEPLOY_FAILED', message: link === 'srv/db/data' ? /ENOTDIR|ELOOP/ : /was changed after/ },
      path,
    )
    t.mock.restoreAll()
  }
  for (const folder of ['home/data', 'opt/data'])
    assert.equal(grantedTo(71, join(host.root, folder)).entry, undefined)
})

test('what is of another kind than its piece is in the way', (t) => {
  const root = scratchDirectory(t)
  const tree = new Tree(root)
  const host = { tree, accounts: new Accounts(tree), ownersCount: false }
  mkdirSync(join(root, 'folder'))
  writeFileSync(join(root, 'file'), '')
  const wrong: Piece[] = [
    file('/folder'),
    { kind: 'secret-file', path: '/folder', ...owned, remedy: '' },
    { kind: 'directory', path: '/file', ...owned },
    access('/file'),
    { kind: 'no-file', path: '/folder' },
    { kind: 'link', path: '/file', target: '/x' },
  ]
  assert.deepEqual(wrongKinds(host, wrong), [
    '/folder leads to something that is no file: move it away',
    '/folder leads to something that is no file: move it away',
    '/file is no directory: move it away',
    '/file is no directory: move it away',
    '/folder is a directory: move it away',
    '/file is no link: move it away',
  ])
  const right: Piece[] = [file('/file'), file('/none'), { kind: 'directory', path: '/folder', ...owned }]
  assert.deepEqual(wrongKinds(host, [...right, { kind: 'account', name: 'x', sysusers: '' }]), [])
  assert.equal(statSync(join(root, 'file')).size, 0)
})
