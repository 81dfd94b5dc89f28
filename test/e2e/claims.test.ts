import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { filesHolding } from '../../src/cli/demo/file-search.ts'
import { keyPolicy, kmsClient } from '../../src/cli/demo/kms-setup.ts'
import { logMessages } from '../../src/cli/demo/log-lines.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { manifestFileName, parseManifest } from '../../src/keyring/manifest.ts'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { throughEachListener } from '../support/each-listener.ts'
import {
  agentIsReady,
  asAdministrator,
  auditTrail,
  complaints,
  serverStack,
} from '../support/running-stack.ts'
import { until } from '../support/until.ts'

throughEachListener((listener) => {
  /** What the demo shows, each claim by itself, on one server. */
  let stack: Stack
  const marker = 'CLAIM-MARKER-2f6c1d'

  before(async () => {
    stack = await serverStack({ listener })
    await stack.server.query('CREATE DATABASE d')
  })

  after(() => stack.remove())

  test('keys 1 and 2 are generated and loaded, in the words of MariaDB’s own plugin', () => {
    const said = logMessages(stack.agent).filter((line) => line.startsWith('AWS KMS plugin:'))
    assert.deepEqual(said.slice(0, 4), [
      'AWS KMS plugin: generated encrypted datakey for key id=1, version=1',
      'AWS KMS plugin: loaded key 1, version 1, key length 256 bit',
      'AWS KMS plugin: generated encrypted datakey for key id=2, version=1',
      'AWS KMS plugin: loaded key 2, version 1, key length 256 bit',
    ])
    const errorLog = readFileSync(stack.prepared.errorLog, 'utf8')
    assert.match(errorLog, /Using encryption key id 2 for temporary files/)
  })

  test('the wrapped keys lie in the data directory, readable by its group, with the manifest', () => {
    const names = readdirSync(stack.dataDirectory).filter((name) => name.includes('aws-kms-key'))
    assert.deepEqual(names.sort(), ['aws-kms-key.1.1', 'aws-kms-key.2.1', manifestFileName])
    const group = statSync(stack.dataDirectory).gid
    for (const name of names) {
      const { mode, gid } = statSync(join(stack.dataDirectory, name))
      assert.equal(mode & 0o777, 0o640, name)
      assert.equal(gid, group, name)
    }
  })

  test('the KMS’s trail names keyring, key id and version of every key made', () => {
    const text = readFileSync(join(stack.dataDirectory, manifestFileName), 'utf8')
    const { id } = parseManifest(text, manifestFileName)
    const contexts = auditTrail(stack)
      .filter(({ eventName }) => eventName === 'GenerateDataKeyWithoutPlaintext')
      .map(({ requestParameters }) => requestParameters?.['encryptionContext'])
    assert.deepEqual(contexts.slice(0, 2), [
      { 'strongroom-keyring': id, 'strongroom-key-id': '1', 'strongroom-key-version': '1' },
      { 'strongroom-keyring': id, 'strongroom-key-id': '2', 'strongroom-key-version': '1' },
    ])
  })

  test('a table with ENCRYPTION_KEY_ID=3 brings a third key, and is encrypted with it', async () => {
    await stack.server.query(
      'CREATE TABLE d.secret (n INT PRIMARY KEY, note VARCHAR(100)) ENCRYPTED=YES ENCRYPTION_KEY_ID=3',
    )
    await stack.server.query('INSERT INTO d.secret VALUES (1, ?)', [marker])
    assert.ok(readdirSync(stack.dataDirectory).includes('aws-kms-key.3.1'))
    const table = (await readEncryptionStatus(stack.server)).find(({ name }) => name === 'd/secret')
    assert.equal(table?.keyId, 3)
    assert.equal(table.encrypted, true)
  })

  test('a marker is on disk in unencrypted tables and nowhere else: tables, redo log, binary log, temporary files', async () => {
    const { server } = stack
    await server.query('CREATE TABLE d.control (n INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM')
    await server.query('INSERT INTO d.control VALUES (1, ?)', [marker])
    await server.query('FLUSH TABLES d.secret FOR EXPORT')
    await server.query('FLUSH TABLES d.control')
    await server.query('FLUSH BINARY LOGS')

    const { found, searched } = await filesHolding(stack.dataDirectory, marker)

    assert.deepEqual(found, ['d/control.MYD'])
    for (const name of ['ibdata1', 'ib_logfile0', 'd/secret.ibd', 'binlog.000001']) {
      assert.ok(searched.includes(name), name)
    }
  })

  test('an Aria table is encrypted; the Aria log is not: MariaDB can’t, and our documents say so', async () => {
    const ariaMarker = 'ARIA-MARKER-77aa01'
    const { server } = stack
    await server.query(
      'CREATE TABLE d.aria (n INT PRIMARY KEY, note VARCHAR(100)) ENGINE=Aria TRANSACTIONAL=1',
    )
    await server.query('INSERT INTO d.aria VALUES (1, ?)', [ariaMarker])
    await server.query('FLUSH TABLES d.aria')
    const { found, searched } = await filesHolding(stack.dataDirectory, ariaMarker)
    assert.ok(searched.includes('d/aria.MAD'))
    assert.deepEqual(found, ['aria_log.00000001'])
  })

  test('a result that spills to disk is encrypted there', async () => {
    const connection = await stack.server.connect()
    try {
      await connection.query('SET SESSION tmp_memory_table_size = 0, max_heap_table_size = 16384')
      await connection.query(
        `CREATE TEMPORARY TABLE d.spill ENGINE=InnoDB SELECT seq, '${marker}' AS note FROM d.seq_1_to_20000`,
      )
      const spilled = openFiles(stack.server.pid).filter(
        (file) => file.includes('/tmp/') || file.includes('ibtmp1'),
      )
      assert.ok(spilled.length > 0)
      await connection.query(
        `SELECT SQL_BUFFER_RESULT COUNT(*) FROM (SELECT DISTINCT seq, CONCAT(note, seq) AS x FROM d.spill) AS y`,
      )
      const { found } = await filesHolding(join(stack.directory, 'server'), marker)
      assert.deepEqual(found, ['data/d/control.MYD'])
    } finally {
      await connection.end()
    }
  })

  test('innodb_encrypt_tables=FORCE refuses an unencrypted table', async () => {
    await assert.rejects(stack.server.query('CREATE TABLE d.plain (n INT) ENGINE=InnoDB ENCRYPTED=NO'), {
      errno: 1005,
    })
  })

  test('the user may use the master key and nothing else', async () => {
    const kms = kmsClient({ url: stack.kms.url, credentialsFile: stack.user.credentialsFile })
    const KeyId = stack.masterKeyArn
    try {
      for (const command of [
        kms.send(new DisableKeyCommand({ KeyId })),
        kms.send(new EnableKeyCommand({ KeyId })),
        kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })),
        kms.send(
          new PutKeyPolicyCommand({
            KeyId,
            PolicyName: 'default',
            Policy: JSON.stringify(keyPolicy(undefined)),
          }),
        ),
      ]) {
        await assert.rejects(command, { name: 'AccessDeniedException' })
      }
    } finally {
      kms.destroy()
    }
  })

  test('no AWS secret is with the server: not in its environment, variables or data directory', async () => {
    const credentials = readFileSync(stack.user.credentialsFile, 'utf8')
    const [, secret = ''] = /aws_secret_access_key = (\S+)/.exec(credentials) ?? []
    assert.ok(secret.length > 20)
    assert.ok(!readFileSync(`/proc/${stack.server.pid}/environ`, 'utf8').includes(secret))
    assert.ok(!JSON.stringify(await stack.server.query('SHOW VARIABLES')).includes(secret))
    assert.deepEqual((await filesHolding(join(stack.directory, 'server'), secret)).found, [])
  })

  test('master key disabled: nothing is noticed; a restart fails and says why; enabled again: the rows are there', async () => {
    const KeyId = stack.masterKeyArn
    await asAdministrator(stack, (kms) => kms.send(new DisableKeyCommand({ KeyId })))
    await stack.server.query("INSERT INTO d.secret VALUES (2, 'while it is disabled')")
    await stack.server.query('FLUSH BINARY LOGS')
    await stack.stopServer()
    await stack.agent.stop()

    await stack.startAgent()
    await assert.rejects(stack.startServer(), { code: 'SR_MARIADB_START' })
    const [said = '', ...more] = complaints(stack)
    assert.deepEqual(more, [])
    assert.ok(
      said.includes(
        `aws-kms-key.1.1, aws-kms-key.2.1, aws-kms-key.3.1 wait: master key ${KeyId} is disabled`,
      ),
    )
    assert.match(said, /request id [0-9a-f-]{36}/)

    await asAdministrator(stack, (kms) => kms.send(new EnableKeyCommand({ KeyId })))
    await until('the agent is ready', () => agentIsReady(stack))
    const server = await stack.startServer()
    assert.equal((await server.query('SELECT n FROM d.secret')).length, 2)
    assert.equal((await server.query('SHOW BINARY LOGS')).length > 2, true)
  })

  test('the audit trail tells who used the master key, and who was refused', () => {
    const uses = auditTrail(stack).map(({ userIdentity, eventName, errorCode }) => [
      userIdentity?.arn?.split(/[:/]/).at(-1),
      eventName,
      errorCode ?? 'ok',
    ])
    for (const wanted of [
      ['mariadb', 'GenerateDataKeyWithoutPlaintext', 'ok'],
      ['mariadb', 'Decrypt', 'ok'],
      ['mariadb', 'Decrypt', 'DisabledException'],
      ['mariadb', 'DisableKey', 'AccessDeniedException'],
      ['root', 'DisableKey', 'ok'],
    ]) {
      assert.ok(
        uses.some((use) => JSON.stringify(use) === JSON.stringify(wanted)),
        wanted.join(' '),
      )
    }
  })
})

/** The files that a process has open, deleted ones included. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
