import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { Accounts } from './accounts.ts'
import { apply } from './apply.ts'
import { compare, type Host, isDifference } from './difference.ts'
import { own } from './durable-write.ts'
import type { Piece } from './piece.ts'
import { Tree } from './tree.ts'

const user = { owner: 'root', group: 'root' }

function file(path: string, text: string, mode = 0o640): Piece {
  return { kind: 'file', path, ...user, mode, content: Buffer.from(text) }
}

const pieces: Piece[] = [
  { kind: 'directory', path: '/etc/strongroom', ...user, mode: 0o750 },
  file('/etc/strongroom/a.token', 'a secret\n'),
  file('/etc/strongroom/agent.conf', '[agent]\n'),
  { kind: 'no-file', path: '/etc/old.conf' },
  { kind: 'link', path: '/etc/wants/unit', target: '/etc/unit' },
]

function hostAt(root: string): Host {
  const tree = new Tree(root)
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'etc/old.conf'), 'somebody wrote this\n', { mode: 0o604 })
  return { tree, accounts: new Accounts(tree), ownersCount: false }
}

function differencesOf(host: Host, wanted = pieces) {
  return compare(host, wanted).filter(isDifference)
}

function textsIn(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      return [path.slice(root.length), readFileSync(path, 'utf8')]
    }),
  )
}

test('what differs is put right, and then nothing differs', (t) => {
  const root = scratchDirectory(t)
  const host = hostAt(root)
  assert.equal(differencesOf(host).length, pieces.length)
  const done: Piece[] = []
  apply(host, differencesOf(host), (piece) => done.push(piece))
  assert.deepEqual(done, pieces)
  assert.deepEqual(compare(host, pieces), [])
  assert.deepEqual(textsIn(root), {
    '/etc/old.conf.before-strongroom': 'somebody wrote this\n',
    '/etc/strongroom/a.token': 'a secret\n',
    '/etc/strongroom/agent.conf': '[agent]\n',
  })
  assert.equal(statSync(join(root, 'etc/strongroom/a.token')).mode & 0o777, 0o640)
})

test('of somebody else’s file the first copy is kept, and opened to nobody who may not read its successor; of ours none', (t) => {
  const root = scratchDirectory(t)
  const host = hostAt(root)
  const put = (text: string) => {
    const wanted = [file('/etc/old.conf', text)]
    apply(host, differencesOf(host, wanted))
  }
  put('# strongroom mariadb configure\n1\n')
  put('# strongroom mariadb configure\n2\n')
  writeFileSync(join(root, 'etc/old.conf'), 'by hand\n')
  put('# strongroom mariadb configure\n3\n')
  assert.deepEqual(textsIn(root), {
    '/etc/old.conf': '# strongroom mariadb configure\n3\n',
    '/etc/old.conf.before-strongroom': 'somebody wrote this\n',
  })
  assert.equal(statSync(join(root, 'etc/old.conf.before-strongroom')).mode & 0o777, 0o600)
})

test('a file that somebody changed after it was looked at stays, and nothing is done', (t) => {
  const root = scratchDirectory(t)
  const host = hostAt(root)
  const wanted = [file('/etc/new.conf', 'ours\n'), file('/etc/old.conf', 'ours\n', 0o604)]
  const differences = differencesOf(host, wanted)
  writeFileSync(join(root, 'etc/old.conf'), 'edited while the question stood\n')
  assert.throws(
    () => {
      apply(host, differences)
    },
    { code: 'SR_DEPLOY_FAILED', message: /^\/etc\/old\.conf was changed after it was looked at/ },
  )
  assert.deepEqual(textsIn(root), { '/etc/old.conf': 'edited while the question stood\n' })
})

test('a file that must not be there and is a link goes alone, not what it leads to', (t) => {
  const root = scratchDirectory(t)
  const host = hostAt(root)
  symlinkSync('old.conf', join(root, 'etc/link.conf'))
  const wanted: Piece[] = [{ kind: 'no-file', path: '/etc/link.conf' }]
  apply(host, differencesOf(host, wanted))
  assert.deepEqual(differencesOf(host, wanted), [])
  assert.equal(readFileSync(join(root, 'etc/old.conf'), 'utf8'), 'somebody wrote this\n')
})

test('owner and mode are never given to what a link leads to', (t) => {
  const root = scratchDirectory(t)
  writeFileSync(join(root, 'theirs'), '', { mode: 0o600 })
  symlinkSync('theirs', join(root, 'ours'))
  assert.throws(
    () => {
      own(join(root, 'ours'), { owner: undefined, group: undefined, mode: 0o666 })
    },
    { code: 'ELOOP' },
  )
  assert.equal(statSync(join(root, 'theirs')).mode & 0o777, 0o600)
})

test('what can only be done by hand is left', (t) => {
  const host = hostAt(scratchDirectory(t))
  const wanted: Piece[] = [
    { kind: 'secret-file', path: '/etc/aws', ...user, mode: 0o600, remedy: 'put it there' },
  ]
  const [difference] = differencesOf(host, wanted)
  assert.equal(difference?.remedy, 'put it there')
  apply(host, differencesOf(host, wanted), () => assert.fail('nothing can be done'))
  assert.equal(host.tree.look('/etc/aws'), undefined)
})

test('a step that fails says which; what was done before it stands, and the same again does the rest', (t) => {
  const root = scratchDirectory(t)
  const host = hostAt(root)
  writeFileSync(join(root, 'etc/wants'), 'in the way')
  assert.throws(
    () => {
      apply(host, differencesOf(host))
    },
    { code: 'SR_DEPLOY_FAILED', message: /^cannot put \/etc\/wants\/unit right: E/ },
  )
  assert.equal(differencesOf(host).length, 1)
})

for (let steps = 0; steps < pieces.length; steps++) {
  test(`killed after ${steps + 1} of ${pieces.length} pieces: each is old or new, and the same again does the rest`, (t) => {
    const root = scratchDirectory(t)
    const host = hostAt(root)
    const script = `
      const { Tree } = await import(${JSON.stringify(import.meta.resolve('./tree.ts'))})
      const { Accounts } = await import(${JSON.stringify(import.meta.resolve('./accounts.ts'))})
      const { compare } = await import(${JSON.stringify(import.meta.resolve('./difference.ts'))})
      const { apply } = await import(${JSON.stringify(import.meta.resolve('./apply.ts'))})
      const tree = new Tree(${JSON.stringify(root)})
      const host = { tree, accounts: new Accounts(tree), ownersCount: false }
      const pieces = JSON.parse(${JSON.stringify(JSON.stringify(pieces))}).map((piece) =>
        piece.content === undefined ? piece : { ...piece, content: Buffer.from(piece.content.data) })
      let done = 0
      apply(host, compare(host, pieces), () => { if (++done > ${steps}) process.kill(process.pid, 'SIGKILL') })`
    const { signal } = spawnSync(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      script,
    ])
    assert.equal(signal, 'SIGKILL')
    assert.equal(differencesOf(host).length, pieces.length - steps - 1)
    apply(host, differencesOf(host))
    assert.deepEqual(compare(host, pieces), [])
  })
}

test('a draft that a killed process left is removed by the next one', (t) => {
  const root = scratchDirectory(t)
  const host = hostAt(root)
  writeFileSync(join(root, 'etc/.new.conf.strongroom-0123456789ab'), 'half a sec')
  writeFileSync(join(root, 'etc/.other.conf.strongroom-0123456789ab'), 'not ours now')
  apply(host, differencesOf(host, [file('/etc/new.conf', 'whole\n')]))
  assert.deepEqual(readdirSync(join(root, 'etc')).sort(), [
    '.other.conf.strongroom-0123456789ab',
    'new.conf',
    'old.conf',
  ])
})
