import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { commandFor, endingWithUs, serverAccount } from '../../src/mariadb/account.ts'
import { startChild } from '../../src/mariadb/child.ts'
import { connectTo, queryOnce, rowsOf, textIn } from '../../src/mariadb/connection.ts'
import { findProgram } from '../../src/mariadb/programs.ts'
import { type PreparedServer, prepareServer } from '../../src/mariadb/server.ts'
import { asUser, mysqlUser, noOtherUser } from '../support/agent-of-its-own-user.ts'
import { occurrences, readMemory } from '../support/process-memory.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { until } from '../support/until.ts'

/*
 * The arrangements of MariaDB's own AWS plugin, whose credentials are the server's: a file in the data directory, and variables in its
 * environment. Who sees them there, for docs/threat-model.md.
 */

const skip = noOtherUser()
const inFile = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const inEnvironment = 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY'

test('credentials of the server itself, and who sees them', { skip }, async (t) => {
  const directory = scratchDirectory(t)
  chmodSync(directory, 0o711)
  const prepared = await prepareServer({ directory: join(directory, 'server'), options: {} })
  await prepared.initialise()
  const file = writeCredentials(prepared.dataDirectory)
  const { pid, stop } = await startServer(t, prepared, {
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: inEnvironment,
  })
  await queryOnce(prepared.socket, 'CREATE USER loader@localhost')
  await queryOnce(prepared.socket, 'GRANT FILE ON *.* TO loader@localhost')
  await queryOnce(prepared.socket, 'CREATE DATABASE loaded')
  await queryOnce(prepared.socket, 'CREATE TABLE loaded.lines (line text)')
  await queryOnce(prepared.socket, 'GRANT ALL ON loaded.* TO loader@localhost')

  await t.test('in the data directory: the user mysql reads them', () => {
    assert.ok(asMysql(['cat', file]).includes(inFile))
  })

  await t.test('in the data directory: they are in every copy of it', () => {
    const copy = join(directory, 'copy')
    cpSync(prepared.dataDirectory, copy, { recursive: true })
    assert.ok(readFileSync(join(copy, '.aws/credentials'), 'utf8').includes(inFile))
  })

  await t.test(
    'in the data directory: the privilege FILE reads them, where secure_file_priv is unset',
    async () => {
      assert.match(await loadData(prepared, file), /wJalrXUtnFEMI/)
      // LOAD_FILE() gives out what everybody may read, and no more.
      assert.equal(await loadFile(prepared, file), null)
      chmodSync(join(prepared.dataDirectory, '.aws'), 0o755)
      chmodSync(file, 0o644)
      assert.match(String(await loadFile(prepared, file)), /wJalrXUtnFEMI/)
      chmodSync(file, 0o600)
    },
  )

  await t.test(
    'in the environment: the user mysql reads them from /proc, and so does what the server runs',
    () => {
      assert.ok(asMysql(['cat', `/proc/${pid}/environ`]).includes(inEnvironment))
      assert.ok(occurrences(readMemory(pid), Buffer.from(inEnvironment)) > 0)
    },
  )

  await t.test('another user of the host reads neither', () => {
    for (const path of [file, `/proc/${pid}/environ`]) {
      const [program = '', ...args] = asUser({ uid: 65532, gid: 65532 }, ['cat', path])
      assert.match(spawnSync(program, args, { encoding: 'utf8' }).stderr, /Permission denied/)
    }
  })

  await t.test(
    'in the environment: FILE does not read them, for the server gives out nothing of /proc',
    async () => {
      for (const path of ['/proc/self/environ', `/proc/${pid}/environ`]) {
        assert.equal(await loadFile(prepared, path), null)
        await assert.rejects(loadData(prepared, path), /secure-file-priv option/)
      }
      // Not even what everybody may read there (MariaDB 10.11.19); environ would have its mode against it too.
      assert.equal(await loadFile(prepared, '/proc/version'), null)
      assert.match(String(await loadFile(prepared, '/etc/passwd')), /^root:/)
    },
  )

  await t.test('in the environment: a copy of the data directory does not have them', () => {
    const found = spawnSync('grep', ['-rlsF', '--file=-', prepared.dataDirectory], {
      input: inEnvironment,
      encoding: 'utf8',
    })
    assert.equal(found.stdout, '')
  })

  await t.test(
    'FILE reads the option file too, with the access token in it, where secure_file_priv is unset',
    async () => {
      assert.match(await loadData(prepared, prepared.optionFile), /^socket = /m)
      assert.equal(await loadFile(prepared, prepared.optionFile), null)
    },
  )

  await t.test('without the privilege FILE nobody reads a file by way of the server', async () => {
    await queryOnce(prepared.socket, 'REVOKE FILE ON *.* FROM loader@localhost')
    assert.equal(await loadFile(prepared, '/etc/passwd'), null)
    for (const path of [file, prepared.optionFile, '/etc/passwd'])
      await assert.rejects(loadData(prepared, path), /Access denied/)
    await queryOnce(prepared.socket, 'GRANT FILE ON *.* TO loader@localhost')
  })

  await t.test(
    'where secure_file_priv is set, FILE reads neither, nor anything else outside that folder',
    async (t) => {
      await stop()
      const folder = join(directory, 'files')
      mkdirSync(folder)
      writeFileSync(join(folder, 'rows'), 'a row\n')
      await prepareServer({ directory: join(directory, 'server'), options: { 'secure-file-priv': folder } })
      await startServer(t, prepared, {})
      for (const path of [file, prepared.optionFile, '/etc/passwd']) {
        assert.equal(await loadFile(prepared, path), null)
        await assert.rejects(loadData(prepared, path), /secure-file-priv option/)
      }
      assert.equal(await loadData(prepared, join(folder, 'rows')), 'a row')
    },
  )
})

function writeCredentials(dataDirectory: string): string {
  const folder = join(dataDirectory, '.aws')
  const file = join(folder, 'credentials')
  const { uid, gid } = mysqlUser()
  mkdirSync(folder, { mode: 0o700 })
  const lines = [
    '[default]',
    'aws_access_key_id = AKIAIOSFODNN7EXAMPLE',
    `aws_secret_access_key = ${inFile}`,
    '',
  ]
  writeFileSync(file, lines.join('\n'), { mode: 0o600 })
  for (const path of [folder, file]) chownSync(path, uid, gid)
  return file
}

/** It is ended with the test. */
async function startServer(
  t: TestContext,
  prepared: PreparedServer,
  environment: Readonly<Record<string, string>>,
): Promise<{ pid: number; stop: () => Promise<void> }> {
  const command = commandFor(
    serverAccount(),
    findProgram('mariadbd'),
    `--defaults-file=${prepared.optionFile}`,
  )
  const child = await startChild(endingWithUs(command), `${prepared.errorLog}.output`, environment)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await child.exited
  }
  t.after(stop)
  await until('the server answers', () =>
    queryOnce(prepared.socket, 'SELECT 1').then(
      () => true,
      () => false,
    ),
  )
  return { pid: child.pid, stop }
}

function asMysql(command: readonly string[]): string {
  const [file = '', ...args] = asUser(mysqlUser(), command)
  return spawnSync(file, args, { encoding: 'latin1' }).stdout
}

async function loadFile({ socket }: PreparedServer, path: string): Promise<unknown> {
  const connection = await connectTo(socket, 'loader')
  try {
    const [row] = await rowsOf(connection, 'SELECT CONVERT(LOAD_FILE(?) USING latin1) AS content', [path])
    return row?.['content']
  } finally {
    await connection.end()
  }
}

/** As the user with FILE, whose table holds the lines. */
async function loadData({ socket }: PreparedServer, path: string): Promise<string> {
  const connection = await connectTo(socket, 'loader')
  try {
    await connection.query('TRUNCATE loaded.lines')
    await connection.query(`LOAD DATA INFILE '${path}' INTO TABLE loaded.lines`)
    const rows = await rowsOf(connection, 'SELECT line FROM loaded.lines')
    return rows.map((row) => textIn(row, 'line')).join('\n')
  } finally {
    await connection.end()
  }
}
