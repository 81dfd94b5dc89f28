import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { apply } from './apply.ts'
import { planDeployment } from './deployment.ts'
import { isDifference } from './difference.ts'
import { nameOf } from './piece.ts'
import type { Wishes } from './wishes.ts'

const config = '/etc/strongroom/agent.conf'
const isRoot = process.getuid?.() === 0

const first: Wishes = {
  config,
  listener: 'vault',
  keyring: undefined,
  dataDirectory: undefined,
  keyringOptions: { 'master-key-id': 'alias/mariadb', region: 'eu-central-1' },
  credentials: 'none',
  listen: undefined,
  optionFile: undefined,
  secureFilePriv: undefined,
  pluginFile: undefined,
  program: undefined,
  newToken: false,
}

const again: Wishes = { ...first, listener: undefined, keyringOptions: {}, credentials: undefined }

/** An image that is being made: as Debian has it, with the user that the packages of MariaDB make. */
function image(t: TestContext): string {
  const root = scratchDirectory(t)
  for (const folder of ['etc/mysql/mariadb.conf.d', 'var/lib/mysql', 'opt/strongroom'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'etc/mysql/my.cnf'), '!includedir /etc/mysql/mariadb.conf.d/\n')
  const users = isRoot
    ? ''
    : `strongroom:x:${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}::/:/bin/false\n`
  writeFileSync(join(root, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\nmysql:x:61:62::/:/bin/false\n${users}`)
  const groups = isRoot ? '' : `strongroom:x:${process.getgid?.() ?? 0}:\n`
  writeFileSync(join(root, 'etc/group'), `root:x:0:\nmysql:x:62:\n${groups}`)
  return root
}

async function configure(root: string, wishes: Partial<Wishes> = {}): Promise<string[]> {
  const { host, comparisons } = await planDeployment(root, { ...again, ...wishes })
  apply(host, comparisons.filter(isDifference))
  return comparisons.map(({ piece }) => nameOf(piece))
}

const text = (root: string, path: string) => readFileSync(join(root, path), 'utf8')
const agentConf = (root: string) => text(root, config)

test('an image is configured, and needs nothing more', async (t) => {
  const root = image(t)
  await configure(root, first)
  assert.deepEqual(await configure(root), [])
  assert.match(
    text(root, 'etc/systemd/system/strongroom-agent.service'),
    /^ExecStart=\/opt\/strongroom\/bin\/strongroom agent /m,
  )
  assert.match(agentConf(root), /^store = directory:\/var\/lib\/mysql$/m)
  const mode = (path: string) => (statSync(join(root, path)).mode & 0o7777).toString(8)
  assert.equal(mode('etc/strongroom/mariadb.token'), '640')
  assert.equal(mode('etc/mysql/mariadb.conf.d/99-strongroom.cnf'), '640')
  if (!isRoot) return
  assert.match(text(root, 'etc/passwd'), /^strongroom:/m)
  assert.equal(statSync(join(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf')).gid, 62)
  assert.equal(statSync(join(root, 'var/lib/mysql-files')).uid, 61)
})

test('the token of the option file is the first of the token file, and stays', async (t) => {
  const root = image(t)
  await configure(root, first)
  const token = text(root, 'etc/strongroom/mariadb.token').trim()
  assert.match(token, /^[0-9a-f]{64}$/)
  assert.ok(text(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf').includes(`-token = "${token}"`))
  await configure(root, { newToken: true })
  const [next, former] = text(root, 'etc/strongroom/mariadb.token').split('\n')
  assert.equal(former, token)
  assert.ok(text(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf').includes(`-token = "${next ?? ''}"`))
  assert.deepEqual(await configure(root), [])
})

test('another listener takes the place of the former, and back', async (t) => {
  const root = image(t)
  await configure(root, first)
  await configure(root, { listener: 'plugin' })
  assert.match(agentConf(root), /^\[plugin-listener\]$/m)
  assert.doesNotMatch(agentConf(root), /vault-listener/)
  assert.match(
    text(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf'),
    /^aws-key-management-socket = "\/run\/strongroom\/mariadb\/agent\.sock"$/m,
  )
  assert.deepEqual(await configure(root), [])
  await configure(root, { listener: 'vault' })
  assert.doesNotMatch(agentConf(root), /plugin-listener/)
  assert.deepEqual(await configure(root), [])
})

test('a second keyring comes beside what is there, whose listener and words stay', async (t) => {
  const root = image(t)
  mkdirSync(join(root, 'etc/strongroom'))
  const present =
    '; by hand\n[plugin-listener]\ndirectory = /run/strongroom\n\n[keyring other]\nstore = directory:/srv/other ; theirs\ntoken-file = other.token\n'
  writeFileSync(join(root, config), present)
  await configure(root, { ...first, keyring: 'mariadb' })
  assert.ok(agentConf(root).startsWith(present), agentConf(root))
  assert.match(agentConf(root), /^\[vault-listener\]$/m)
  assert.equal(text(root, `${config}.before-strongroom`), present)
  assert.deepEqual(await configure(root, { keyring: 'mariadb' }), [])
})

test('agent.conf that the agent would refuse is refused', async (t) => {
  const root = image(t)
  await assert.rejects(
    configure(root, { ...first, keyringOptions: { 'master-key-id': 'a', region: 'not a region' } }),
    {
      code: 'SR_CONFIG_INVALID',
      message: /\/etc\/strongroom\/agent\.conf: \[keyring mariadb\] region: must be the name of a region/,
    },
  )
  mkdirSync(join(root, 'etc/strongroom'))
  writeFileSync(join(root, config), '[agent]\nnonsense = 1\n')
  await assert.rejects(configure(root, first), { code: 'SR_CONFIG_INVALID', message: /nonsense/ })
})

test('without a master key it is a word of usage, unless somebody means it', async (t) => {
  const root = image(t)
  await assert.rejects(configure(root, { ...first, keyringOptions: {} }), {
    code: 'SR_USAGE',
    message: /--master-key-id is missing/,
  })
  await configure(root, { ...first, keyringOptions: { 'master-key-id': undefined } })
  assert.doesNotMatch(agentConf(root), /master-key-id/)
})

for (const [way, dropIn] of [
  ['file', /^LoadCredential=aws-credentials:\/etc\/strongroom\/aws-credentials$/m],
  ['encrypted', /^LoadCredentialEncrypted=aws-credentials:\/etc\/strongroom\/aws-credentials\.encrypted$/m],
  ['environment-file', /^EnvironmentFile=\/etc\/strongroom\/aws-credentials\.env$/m],
] as const) {
  test(`credentials by ${way}: the unit says so, the file is asked for, and it stays so`, async (t) => {
    const root = image(t)
    const file = /:?=?(\/etc\/strongroom\/aws-cred\S*?)\$/.exec(dropIn.source.replaceAll('\\', ''))?.[1] ?? ''
    await configure(root, { ...first, credentials: way })
    assert.match(text(root, 'etc/systemd/system/strongroom-agent.service.d/credentials.conf'), dropIn)
    assert.deepEqual(await configure(root), [file])
    writeFileSync(join(root, file), 'x', { mode: 0o644 })
    assert.deepEqual(await configure(root), [file])
    assert.equal(statSync(join(root, file)).mode & 0o777, 0o600)
    assert.equal(text(root, file), 'x')
    assert.deepEqual(await configure(root), [])
    await configure(root, { credentials: 'none' })
    assert.deepEqual(await configure(root), [])
  })
}

test('credentials by with-mfa are the keyring’s word, and stay', async (t) => {
  const root = image(t)
  await configure(root, { ...first, credentials: 'with-mfa' })
  assert.match(agentConf(root), /^credentials = with-mfa$/m)
  assert.deepEqual(await configure(root), [])
  await configure(root, { credentials: 'none' })
  assert.doesNotMatch(agentConf(root), /with-mfa/)
})

test('secure-file-priv: a folder of their own is kept, none at all is not, keep leaves it', async (t) => {
  const own = async (present: string, wishes: Partial<Wishes> = {}) => {
    const root = image(t)
    writeFileSync(join(root, 'etc/mysql/mariadb.conf.d/50-site.cnf'), `[mysqld]\n${present}\n`)
    await configure(root, { ...first, ...wishes })
    assert.deepEqual(await configure(root), [])
    return /^secure-file-priv = "(.*)"$/m.exec(text(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf'))?.[1]
  }
  assert.equal(await own('secure_file_priv = /srv/uploads'), undefined)
  assert.equal(await own('secure_file_priv ='), '/var/lib/mysql-files')
  assert.equal(await own('secure_file_priv = /'), '/var/lib/mysql-files')
  assert.equal(await own(''), '/var/lib/mysql-files')
  assert.equal(await own('', { secureFilePriv: 'keep' }), undefined)
  assert.equal(await own('', { secureFilePriv: '/srv/other' }), '/srv/other')
})

test('a folder on the way that others can not pass lets the agent pass', async (t) => {
  const root = image(t)
  mkdirSync(join(root, 'srv/private/mysql'), { recursive: true })
  chmodSync(join(root, 'srv/private'), 0o700)
  await configure(root, { ...first, dataDirectory: '/srv/private/mysql' })
  assert.deepEqual(await configure(root), [])
  const wanted = await planDeployment(root, again)
  assert.equal(wanted.settings.dataDirectory, '/srv/private/mysql')
  chmodSync(join(root, 'srv/private'), 0o700)
  assert.deepEqual(await configure(root), ['/srv/private'])
})

test('on Red Hat’s systems the option file is where theirs are, and comes last', async (t) => {
  const root = image(t)
  rmSync(join(root, 'etc/mysql'), { recursive: true })
  writeFileSync(join(root, 'etc/my.cnf'), '!includedir /etc/my.cnf.d\n')
  mkdirSync(join(root, 'etc/my.cnf.d'))
  await configure(root, first)
  assert.match(text(root, 'etc/my.cnf.d/zz-strongroom.cnf'), /^\[mariadb\]$/m)
  assert.deepEqual(await configure(root), [])
})
