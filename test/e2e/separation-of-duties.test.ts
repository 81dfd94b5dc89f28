import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { connectTo, type Connection, rowsOf, textIn } from '../../src/mariadb/connection.ts'
import {
  type Account,
  agentUser,
  asUser,
  mysqlUser,
  noOtherUser,
  separatedStack,
} from '../support/agent-of-its-own-user.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { servedKeys } from '../support/key-client.ts'
import { occurrences, readMemory } from '../support/process-memory.ts'
import { SecretSearch } from '../support/secret-search.ts'

/*
 * The default arrangement: the AWS credentials are the agent's, whose user is another one than MariaDB's. Each test looks with the
 * eyes of somebody on the database host, and then makes sure that the eyes were open.
 */

const skip = noOtherUser()
const root: Account = { uid: 0, gid: 0 }
const connecting = [
  'perl',
  '-e',
  'use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0); connect($s, sockaddr_un($ARGV[0])) or die "$!"',
]

throughEachListener((listener) => {
  let stack: Stack
  let secret: string
  let search: SecretSearch

  before(async () => {
    if (skip !== false) return
    stack = await separatedStack({ listener })
    secret = /aws_secret_access_key = (\S+)/.exec(readFileSync(stack.user.credentialsFile, 'utf8'))?.[1] ?? ''
    search = new SecretSearch()
    search.add('secret access key', secret)
    await stack.server.query('CREATE DATABASE payroll')
    await stack.server.query('CREATE TABLE payroll.salaries (line text) ENGINE=InnoDB ENCRYPTION_KEY_ID=3')
    await stack.server.query('CREATE USER reporter@localhost')
    await stack.server.query('GRANT SELECT, INSERT ON payroll.* TO reporter@localhost')
    await stack.server.query('CREATE USER loader@localhost')
    await stack.server.query('GRANT FILE ON *.* TO loader@localhost')
    await stack.server.query('GRANT ALL ON payroll.* TO loader@localhost')
  })

  after(async () => {
    if (skip === false) await stack.remove()
  })

  test(
    'agent and server are processes of two users, and only the agent’s can read the credentials',
    { skip },
    () => {
      assert.equal(statSync(`/proc/${stack.agent.pid}`).uid, agentUser)
      assert.equal(statSync(`/proc/${stack.server.pid}`).uid, mysqlUser().uid)
      const { uid, mode } = statSync(stack.user.credentialsFile)
      assert.deepEqual([uid, mode & 0o777], [agentUser, 0o600])
    },
  )

  test('no AWS secret is in the server’s environment, command line and memory', { skip }, () => {
    const { pid } = stack.server
    for (const file of ['environ', 'cmdline'])
      assert.deepEqual(search.in(readFileSync(`/proc/${pid}/${file}`), file), [])
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /AWS_/)
    assert.equal(occurrences(readMemory(pid), Buffer.from(secret)), 0)
    assert.ok(occurrences(readMemory(stack.agent.pid), Buffer.from(secret)) > 0)
  })

  test('no AWS secret is in anything that the server shows to its administrator', { skip }, async () => {
    const shown = await everythingShown(stack)
    assert.ok(shown.length > 100)
    for (const { place, text } of shown) assert.deepEqual(search.in(text, place), [])
    const { text = '' } = shown.find(({ place }) => place === 'SHOW GLOBAL VARIABLES') ?? {}
    assert.match(
      text,
      listener === 'vault' ? /hashicorp_key_management_vault_url/ : /aws_key_management_region/,
    )
    if (stack.listener.name === 'vault')
      for (const { place, text: said } of shown) assert.ok(!said.includes(stack.listener.token), place)
  })

  test(
    'a database user with the privilege FILE reads no AWS secret, where secure_file_priv is unset too',
    { skip },
    async () => {
      assert.deepEqual(await stack.server.query('SELECT @@secure_file_priv AS folder'), [{ folder: null }])
      const loader = await connectTo(stack.prepared.socket, 'loader')
      try {
        for (const path of places(stack)) {
          const loaded = await loadFile(loader, path)
          assert.deepEqual(search.in(loaded ?? '', path), [])
          assert.deepEqual(search.in(await loadData(loader, path), path), [])
        }
        for (const path of closedPlaces(stack)) assert.equal(await loadFile(loader, path), undefined, path)
        // What everybody on the host may read it does get.
        assert.match((await loadFile(loader, '/etc/passwd')) ?? '', /^root:/)
        assert.match(await loadData(loader, '/etc/passwd'), /^root:/)
        const where = join(stack.agentDirectory, 'written')
        await assert.rejects(loader.query(`SELECT 1 INTO OUTFILE '${where}'`), /Permission denied|errno: 13/)
        assert.ok(!existsSync(where))
      } finally {
        await loader.end()
      }
    },
  )

  test('a database user without the privilege FILE reads no file at all', { skip }, async () => {
    const reporter = await connectTo(stack.prepared.socket, 'reporter')
    try {
      for (const path of [...places(stack), '/etc/passwd'])
        assert.equal(await loadFile(reporter, path), undefined, path)
      await assert.rejects(loadDataOrThrow(reporter, '/etc/passwd'), /Access denied/)
      await assert.rejects(reporter.query("SELECT 1 INTO OUTFILE '/tmp/written'"), /Access denied/)
    } finally {
      await reporter.end()
    }
  })

  test('the user mysql finds no AWS secret in the file system', { skip }, () => {
    const trees = [...partsOf(stack), ...treesOfHost]
    assert.deepEqual(filesWith(secret, mysqlUser(), trees), [])
    // The search sees what is to be seen: root and the agent's user find the file, and mysql what is its own.
    const agent = { uid: agentUser, gid: agentUser }
    for (const user of [root, agent])
      assert.deepEqual(filesWith(secret, user, partsOf(stack)), [stack.user.credentialsFile])
    const manifest = join(stack.dataDirectory, 'aws-kms-key.keyring.json')
    assert.deepEqual(filesWith('strongroom-keyring/1', mysqlUser(), partsOf(stack)), [manifest])
  })

  test('the user mysql can’t look into the agent’s process', { skip }, () => {
    const process = `/proc/${stack.agent.pid}`
    for (const file of ['environ', 'maps', 'mem', 'auxv']) {
      const refused = runAs(mysqlUser(), ['head', '--bytes=1', `${process}/${file}`])
      assert.match(refused.stderr, /Permission denied/, file)
    }
    for (const folder of ['fd', 'cwd/', 'root/'])
      assert.match(runAs(mysqlUser(), ['ls', `${process}/${folder}`]).stderr, /Permission denied/, folder)
    assert.equal(runAs(root, ['head', '--bytes=1', `${process}/environ`]).status, 0)
    for (const path of [stack.agentDirectory, stack.user.credentialsFile])
      assert.match(runAs(mysqlUser(), ['cat', path]).stderr, /Permission denied/, path)
  })

  test(
    'the user mysql can have every data key, as it must; another user of the host can’t',
    { skip },
    async () => {
      const stranger: Account = { uid: 65532, gid: 65532 }
      if (stack.listener.name === 'vault') {
        const { token } = stack.listener
        assert.ok(runAs(mysqlUser(), ['cat', stack.prepared.optionFile]).stdout.includes(token))
        assert.match(runAs(stranger, ['cat', stack.prepared.optionFile]).stderr, /Permission denied/)
      } else {
        assert.equal(runAs(mysqlUser(), [...connecting, stack.listener.socket]).stderr, '')
        assert.match(runAs(stranger, [...connecting, stack.listener.socket]).stderr, /Permission denied/)
      }
      // Whoever has that, has the keys.
      const [key = Buffer.alloc(0)] = await servedKeys(stack, [3])
      assert.equal(key.length, 32)
      assert.ok(occurrences(readMemory(stack.server.pid), key) > 0)
      assert.deepEqual(filesWith(secret, stranger, [...partsOf(stack), ...treesOfHost]), [])
    },
  )

  test('the user mysql can’t use the agent’s admin socket, nor change its configuration', { skip }, () => {
    const socket = join(stack.agentDirectory, 'admin.sock')
    assert.equal(statSync(socket).mode & 0o777, 0o600)
    assert.match(runAs(mysqlUser(), [...connecting, socket]).stderr, /Permission denied/)
    assert.equal(runAs(root, [...connecting, socket]).stderr, '')
    assert.match(
      runAs(mysqlUser(), ['touch', join(stack.agentDirectory, 'agent.conf')]).stderr,
      /Permission denied/,
    )
  })
})

/** Where an AWS secret might be, on this host. */
function places(stack: Stack): string[] {
  const ofProcess = (pid: number | string) =>
    ['environ', 'cmdline', 'maps', 'mem', 'status'].map((name) => `/proc/${pid}/${name}`)
  return [
    ...closedPlaces(stack),
    stack.prepared.optionFile,
    stack.prepared.errorLog,
    join(stack.directory, 'agent.log'),
    join(stack.dataDirectory, 'aws-kms-key.1.1'),
    join(stack.dataDirectory, 'aws-kms-key.keyring.json'),
    join(stack.dataDirectory, '.aws/credentials'),
    ...['self', stack.server.pid, stack.agent.pid, stack.kms.pid].flatMap(ofProcess),
  ]
}

function closedPlaces(stack: Stack): string[] {
  return [
    stack.user.credentialsFile,
    join(stack.agentDirectory, 'agent.conf'),
    join(stack.agentDirectory, 'mariadb.token'),
    `/proc/${stack.agent.pid}/environ`,
    `/proc/${stack.agent.pid}/fd/0`,
    join(stack.kmsDirectory, 'root-access-key'),
  ]
}

/** Every variable and status, and the tables about the server itself, as the command-line client prints them. */
async function everythingShown(stack: Stack): Promise<{ place: string; text: string }[]> {
  const tables = await stack.server.query(
    "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('information_schema', 'mysql', 'sys')",
  )
  const statements = [
    'SHOW GLOBAL VARIABLES',
    'SHOW SESSION VARIABLES',
    'SHOW GLOBAL STATUS',
    'SHOW ENGINE INNODB STATUS',
    'SHOW FULL PROCESSLIST',
    ...tables.map(
      (row) => `SELECT * FROM \`${textIn(row, 'TABLE_SCHEMA')}\`.\`${textIn(row, 'TABLE_NAME')}\``,
    ),
  ]
  const client = [
    'mariadb',
    '--no-defaults',
    `--socket=${stack.prepared.socket}`,
    '--user=root',
    '--force',
    '--batch',
  ]
  const marked = statements.map((statement, index) => `SELECT '-- ${index} --';\n${statement};\n`).join('')
  const { stdout } = runAs(root, [...client, '--skip-column-names'], marked)
  const parts = stdout.split(/^-- \d+ --$/m).slice(1)
  return parts.map((text, index) => ({ place: statements[index] ?? '', text }))
}

/** undefined: NULL. */
async function loadFile(connection: Connection, path: string): Promise<string | undefined> {
  const [row] = await rowsOf(connection, 'SELECT CONVERT(LOAD_FILE(?) USING latin1) AS content', [path])
  const content = row?.['content']
  return typeof content === 'string' ? content : undefined
}

/** What a table holds that was loaded from a file; nothing, where the server refuses. */
async function loadData(connection: Connection, path: string): Promise<string> {
  try {
    return await loadDataOrThrow(connection, path)
  } catch {
    return ''
  }
}

async function loadDataOrThrow(connection: Connection, path: string): Promise<string> {
  await connection.query('TRUNCATE payroll.salaries').catch(() => undefined)
  await connection.query(`LOAD DATA INFILE '${path}' IGNORE INTO TABLE payroll.salaries CHARACTER SET latin1`)
  const rows = await rowsOf(connection, 'SELECT line FROM payroll.salaries')
  return rows.map((row) => textIn(row, 'line')).join('\n')
}

/** Where services of a host leave what they have; programs are elsewhere. */
const treesOfHost = [
  '/etc',
  '/run',
  '/dev/shm',
  '/home',
  '/root',
  '/srv',
  '/var/backups',
  '/var/lib/mysql',
  '/var/log',
]

/** The folders of the stack by their names: who may only pass the one above them finds them all the same. */
function partsOf(stack: Stack): string[] {
  return [
    'agent',
    'agent.log',
    'kms',
    'kms.log',
    'run',
    'server/data',
    'server/tmp',
    'server/run',
    'server/server.cnf',
  ]
    .map((part) => join(stack.directory, part))
    .filter(existsSync)
}

/** The files with a text in them that a user finds. */
function filesWith(text: string, user: Account, trees: readonly string[]): string[] {
  // The pattern comes by way of stdin: arguments are for everybody to see.
  const command = ['grep', '-rlsF', '--devices=skip', '--file=-', ...trees.filter(existsSync)]
  return runAs(user, command, text)
    .stdout.split('\n')
    .filter((line) => line !== '')
}

function runAs(
  user: Account,
  command: readonly string[],
  input = '',
): { status: number | null; stdout: string; stderr: string } {
  const [file = '', ...args] = user.uid === 0 ? command : asUser(user, command)
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  })
  return { status, stdout, stderr }
}
