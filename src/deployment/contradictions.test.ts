import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { objections } from './contradictions.ts'
import { planDeployment } from './deployment.ts'
import type { Wishes } from './wishes.ts'

const nothing: Wishes = {
  config: '/etc/strongroom/agent.conf',
  listener: 'vault',
  keyring: undefined,
  dataDirectory: undefined,
  keyringOptions: { 'master-key-id': 'alias/mariadb' },
  credentials: undefined,
  listen: undefined,
  optionFile: undefined,
  secureFilePriv: undefined,
  pluginFile: undefined,
  program: undefined,
  newToken: false,
}

const includes = '!includedir /etc/mysql/conf.d/\n!includedir /etc/mysql/mariadb.conf.d/\n'

/** A tree with these files, as Debian has them otherwise. */
function treeWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = scratchDirectory(t)
  const all = {
    '/etc/mysql/my.cnf': includes,
    '/etc/mysql/mariadb.conf.d/50-server.cnf': '[mysqld]\nbind-address = 127.0.0.1\n',
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    '/var/lib/mysql/ibtmp1': '',
    ...files,
  }
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
    chmodSync(join(root, path), 0o644)
  }
  return root
}

async function plan(t: TestContext, files: Readonly<Record<string, string>>, wishes: Partial<Wishes> = {}) {
  return await planDeployment(treeWith(t, files), { ...nothing, ...wishes })
}

const folder = '/etc/mysql/mariadb.conf.d'

test('nothing stands in the way on a host without any of it', async (t) => {
  assert.deepEqual((await plan(t, {})).remarks, [])
})

const contradictions: [
  what: string,
  files: Record<string, string>,
  said: RegExp,
  wishes?: Partial<Wishes>,
][] = [
  [
    'another key plugin',
    { [`${folder}/10-old.cnf`]: '[mysqld]\n\nplugin_load_add = file_key_management.so\n' },
    /10-old\.cnf, line 3, loads file_key_management, which hands out other keys/,
  ],
  [
    'another key plugin among others of plugin-load',
    { '/etc/mysql/conf.d/x.cnf': '[mariadb]\nplugin-load = "a=sql_errlog.so;b=file_key_management"\n' },
    /x\.cnf, line 2, loads file_key_management/,
  ],
  [
    'the other one of our own listeners',
    { [`${folder}/10-old.cnf`]: '[mariadb]\nplugin-load-add = hashicorp_key_management\n' },
    /loads hashicorp_key_management, which hands out other keys/,
    { listener: 'plugin' },
  ],
  [
    'the same plugin, loaded once more',
    { [`${folder}/10-old.cnf`]: '[mariadb]\nplugin-load-add = hashicorp_key_management\n' },
    /loads hashicorp_key_management as well/,
  ],
  [
    'a Vault of their own',
    {
      [`${folder}/hashicorp_key_management.cnf`]:
        '[mariadb]\nhashicorp-key-management-vault-url="https://vault.example:8200/v1/db"\n',
    },
    /hashicorp_key_management\.cnf, line 2, names a Vault of its own, https:\/\/vault\.example:8200\/v1\/db/,
  ],
  [
    'an option that a later file sets otherwise',
    { [`${folder}/zz-site.cnf`]: '[mariadb-10.11]\n[mysqld]\nskip-innodb-encrypt-log\n' },
    /zz-site\.cnf, line 3, says innodb-encrypt-log = OFF and is read after .*99-strongroom\.cnf, which says ON/,
  ],
  [
    'an option in my.cnf behind the folder of ours',
    { '/etc/mysql/my.cnf': `${includes}[mariadb]\nencrypt_binlog = 0\n` },
    /my\.cnf, line 4, says encrypt-binlog = 0/,
  ],
  [
    'plugin-load behind ours',
    { [`${folder}/zz-site.cnf`]: '[mariadb]\nplugin-load = sql_errlog\n' },
    /undoes plugin-load-add there: write plugin-load-add/,
  ],
  [
    'a folder that MariaDB does not read',
    { '/etc/mysql/my.cnf': '[mysqld]\n' },
    /\/etc\/mysql\/my\.cnf do not include .*99-strongroom\.cnf: add an !includedir line/,
  ],
  [
    'the data directory of another keyring',
    { '/etc/strongroom/agent.conf': '[keyring other]\nstore = directory:/var/lib/mysql\ntoken-file = t\n' },
    /has the keyring other for \/var\/lib\/mysql already: --keyring other/,
    { keyring: 'mariadb' },
  ],
  [
    'a data directory that the unit hides',
    { '/home/db/ibtmp1': '' },
    /\/home\/db is in \/home, which the unit of the agent hides/,
    { dataDirectory: '/home/db' },
  ],
]

for (const [what, files, said, wishes] of contradictions) {
  test(`refused: ${what}`, async (t) => {
    await assert.rejects(plan(t, files, wishes), { code: 'SR_DEPLOY_CONTRADICTION', message: said })
  })
}

test('a token in another file is not shown', async (t) => {
  const file = '[mariadb]\nhashicorp-key-management-token = s.1234567890\n'
  await assert.rejects(plan(t, { [`${folder}/zz.cnf`]: file }), (error: unknown) => {
    assert.match(String(error), /zz\.cnf, line 2, says hashicorp-key-management-token and/)
    assert.doesNotMatch(String(error), /1234567890/)
    return true
  })
})

test('all are named at once', async (t) => {
  const files = {
    [`${folder}/10-old.cnf`]: '[mysqld]\nplugin_load_add = file_key_management\n',
    [`${folder}/zz-site.cnf`]: '[mysqld]\naria-encrypt-tables = OFF\n',
  }
  await assert.rejects(plan(t, files), /10-old\.cnf[^]*zz-site\.cnf/)
})

test('what an earlier file says otherwise is told, and a fitting value of threads is left to it', async (t) => {
  const files = {
    [`${folder}/60-site.cnf`]:
      '[mariadb]\ninnodb_encrypt_tables = ON\ninnodb-encryption-threads = 8\nencrypt-binlog\n',
  }
  const { remarks, comparisons } = await plan(t, files)
  assert.deepEqual(remarks, [
    `${folder}/60-site.cnf, line 2, says innodb-encrypt-tables = ON; the option file of Strongroom comes later, so FORCE counts`,
  ])
  const written = JSON.stringify(comparisons)
  assert.match(written, /99-strongroom/)
  assert.doesNotMatch(written, /\+innodb-encryption-threads/)
  const none = await plan(t, { [`${folder}/60-site.cnf`]: '[mariadb]\ninnodb-encryption-threads = 0\n' })
  assert.match(JSON.stringify(none.comparisons), /\+innodb-encryption-threads = \\+"4/)
})

test('a server that can not: too old for the stock plugin, or without its plugin', async (t) => {
  const { ground, settings } = await plan(t, {})
  const of = (major: number, minor: number, pluginFiles: string[], listener: 'vault' | 'plugin') =>
    objections(
      {
        ...ground,
        facts: {
          ...ground.facts,
          version: { major, minor, text: `${major}.${minor}.1` },
          pluginFolder: '/',
          pluginFiles,
        },
      },
      { ...settings, listener },
    ).contradictions.join()
  assert.match(
    of(10, 6, ['hashicorp_key_management.so'], 'vault'),
    /10\.6\.1 has no hashicorp_key_management, which came with 10\.9/,
  )
  assert.match(of(10, 11, [], 'vault'), /install the package mariadb-plugin-hashicorp-key-management/)
  assert.match(of(10, 6, [], 'plugin'), /aws_key_management\.so is not in .*--plugin-file/)
  assert.equal(of(10, 11, ['hashicorp_key_management.so'], 'vault'), '')
  const plugin = join(ground.tree.root, 'aws_key_management.so')
  writeFileSync(plugin, 'the path /run/strongroom/mariadb/agent.sock')
  assert.equal(of(10, 4, ['aws_key_management.so'], 'plugin'), '')
  writeFileSync(plugin, "MariaDB's own")
  assert.match(of(10, 4, ['aws_key_management.so'], 'plugin'), /is not Strongroom's, which has the same name/)
})
