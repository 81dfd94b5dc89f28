import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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

test('what makes MariaDB need the rest comes last', async (t) => {
  const { comparisons } = await planDeployment(image(t), first)
  const names = comparisons.map(({ piece }) => nameOf(piece).replace(/.*\//, ''))
  assert.deepEqual(names.slice(-3), ['strongroom-vault.conf', 'strongroom.conf', '99-strongroom.cnf'])
  assert.deepEqual(names.slice(0, 2), ['user strongroom', 'strongroom'])
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

test('of the token file no copy is kept, for every token stays in it', async (t) => {
  const root = image(t)
  mkdirSync(join(root, 'etc/strongroom'))
  writeFileSync(join(root, 'etc/strongroom/mariadb.token'), '#out-of-use\nby-hand\n', { mode: 0o644 })
  await configure(root, first)
  const { comparisons } = await planDeployment(root, { ...again, newToken: true })
  assert.doesNotMatch(JSON.stringify(comparisons.filter(isDifference).map(({ diff }) => diff)), /hand|out-of/)
  apply((await planDeployment(root, again)).host, comparisons.filter(isDifference))
  assert.match(text(root, 'etc/strongroom/mariadb.token'), /^[0-9a-f]{64}\n#out-of-use\nby-hand\n$/)
  assert.deepEqual(
    readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.before-')),
    [],
  )
})

test('a unit of an earlier release goes without a copy, one by hand with one, its secrets unseen', async (t) => {
  const root = image(t)
  const unit = 'etc/systemd/system/strongroom-agent.service'
  await configure(root, first)
  writeFileSync(join(root, unit), text(root, unit).replace('LimitCORE=0\n', ''))
  await configure(root)
  assert.equal(existsSync(join(root, `${unit}.before-strongroom`)), false)
  writeFileSync(join(root, unit), '[Service]\nEnvironment=AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI\n')
  const { comparisons } = await planDeployment(root, again)
  assert.doesNotMatch(JSON.stringify(comparisons.filter(isDifference).map(({ diff }) => diff)), /wJalr/)
  await configure(root)
  assert.equal(existsSync(join(root, `${unit}.before-strongroom`)), true)
})

test('a unit that systemd masks is in the way, and /dev/null stays what it is', async (t) => {
  const root = image(t)
  mkdirSync(join(root, 'dev'))
  mkdirSync(join(root, 'etc/systemd/system'), { recursive: true })
  // Stands for the device: no file.
  spawnSync('mkfifo', [join(root, 'dev/null')])
  symlinkSync('/dev/null', join(root, 'etc/systemd/system/strongroom-agent.service'))
  await assert.rejects(configure(root, first), {
    code: 'SR_DEPLOY_CONTRADICTION',
    message: /strongroom-agent\.service leads to something that is no file: move it away/,
  })
  assert.equal(statSync(join(root, 'dev/null')).isFIFO(), true)
})

test('folders that are there and not ours stay as they are', async (t) => {
  const root = image(t)
  for (const folder of ['srv/uploads', 'etc/db']) {
    mkdirSync(join(root, folder), { recursive: true })
    chmodSync(join(root, folder), 0o755)
  }
  const wishes = { config: '/etc/db/agent.conf', secureFilePriv: '/srv/uploads' }
  await configure(root, { ...first, ...wishes })
  assert.deepEqual(await configure(root, wishes), [])
  for (const folder of ['srv/uploads', 'etc/db', 'etc']) {
    const { uid, mode } = statSync(join(root, folder))
    assert.deepEqual([uid, mode & 0o777], [process.getuid?.(), 0o755], folder)
  }
})

test('a folder for uploads that holds a secret is refused, and an empty one in our own file is mended', async (t) => {
  const root = image(t)
  for (const [folder, holds] of [
    ['/var/lib', '/var/lib/mysql'],
    ['/etc/strongroom', '/etc/strongroom/agent.conf'],
    ['/var/lib/mysql', '/var/lib/mysql'],
  ]) {
    await assert.rejects(configure(root, { ...first, secureFilePriv: folder }), {
      code: 'SR_DEPLOY_CONTRADICTION',
      message: new RegExp(`${holds ?? ''} is in ${folder ?? ''}, which secure-file-priv opens`),
    })
  }
  await configure(root, first)
  const file = join(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf')
  const right = readFileSync(file, 'utf8')
  writeFileSync(file, right.replace('"/var/lib/mysql-files"', '""'))
  await configure(root)
  assert.equal(readFileSync(file, 'utf8'), right)
  await configure(root, { secureFilePriv: 'keep' })
  const { remarks } = await planDeployment(root, again)
  assert.match(remarks.join(), /secure-file-priv restricts nothing/)
})

test('a path that a unit would read otherwise is refused', async (t) => {
  const root = image(t)
  for (const dataDirectory of ['/srv/my data', '/srv/100%h', '/srv/a\nUser=root']) {
    mkdirSync(join(root, dataDirectory), { recursive: true })
    await assert.rejects(configure(root, { ...first, dataDirectory }), {
      code: 'SR_DEPLOY_IMPOSSIBLE',
      message: /can't stand in a unit of systemd/,
    })
  }
})

test('the token is for the group of MariaDB’s user, whatever group the data directory has', async (t) => {
  if (!isRoot) {
    t.skip('only root can give files away')
    return
  }
  const root = image(t)
  chownSync(join(root, 'var/lib/mysql'), 61, 100)
  await configure(root, first)
  assert.equal(statSync(join(root, 'etc/mysql/mariadb.conf.d/99-strongroom.cnf')).gid, 62)
  assert.match(
    text(root, 'etc/systemd/system/strongroom-agent.service.d/group.conf'),
    /^SupplementaryGroups=100$/m,
  )
})

test('credentials that are not used any more are named, those in agent.conf not', async (t) => {
  const root = image(t)
  mkdirSync(join(root, 'etc/strongroom'))
  for (const name of ['aws-credentials', 'aws-credentials.env'])
    writeFileSync(join(root, 'etc/strongroom', name), 'x')
  const remarks = async () => (await planDeployment(root, again)).remarks
  await configure(root, { ...first, credentials: 'with-mfa' })
  assert.deepEqual(await remarks(), [
    '/etc/strongroom/aws-credentials is not used: remove it, or take it with --credentials file',
    '/etc/strongroom/aws-credentials.env is not used: remove it, or take it with --credentials environment-file',
  ])
  await configure(root, { credentials: 'environment-file' })
  writeFileSync(join(root, config), `${agentConf(root)}credentials-file = aws-credentials\n`)
  assert.deepEqual(await remarks(), [])
})

test('a wish for other credentials ends what agent.conf says of a file', async (t) => {
  const root = image(t)
  mkdirSync(join(root, 'etc/strongroom'))
  writeFileSync(
    join(root, config),
    '[keyring mariadb]\nstore = directory:/var/lib/mysql\ntoken-file = mariadb.token\ncredentials-file = /etc/aws\n',
  )
  await configure(root, { ...first, credentials: undefined })
  assert.match(agentConf(root), /credentials-file = \/etc\/aws/)
  await configure(root, { credentials: 'file' })
  assert.doesNotMatch(agentConf(root), /credentials-file/)
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
