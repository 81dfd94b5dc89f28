import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import type { FindingCode } from '../../src/doctor/codes.ts'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { encryptEverything } from '../../src/mariadb/encryption-options.ts'
import { readBinaryLogStart } from '../../src/mariadb/binary-log.ts'
import { prepareServer } from '../../src/mariadb/server.ts'
import { diagnosisOf, type Diagnosis } from '../support/doctor-stack.ts'
import { agentStack } from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

/** The life of one server: made in the clear, encrypted later, cured by what doctor says, rotated, and robbed of a key. */

const inTheClear = Object.fromEntries(
  Object.keys(encryptEverything).map((option) => [
    option,
    option.startsWith('innodb-encryption') ? '0' : 'OFF',
  ]),
)
const kept = { 'innodb-undo-tablespaces': '3', 'innodb-checksum-algorithm': 'full_crc32' } as const
const marker = 'FREED-ROW-5d0c'

const dataCodes = new Set<string>([
  'SRD_NEEDED_KEY_MISSING',
  'SRD_TABLE_PLAINTEXT',
  'SRD_SYSTEM_TABLESPACE_PLAINTEXT',
  'SRD_TABLE_PARTLY_PLAINTEXT',
  'SRD_FREED_PAGES_PLAINTEXT',
  'SRD_KEY_ID_IGNORED',
  'SRD_ARIA_PLAINTEXT',
  'SRD_ARIA_LOG_PLAINTEXT',
  'SRD_ENGINE_WITHOUT_ENCRYPTION',
  'SRD_REDO_LOG_PLAINTEXT',
  'SRD_BINARY_LOG_PLAINTEXT',
  'SRD_STATEMENT_LOG',
] as const satisfies readonly FindingCode[])

let stack: Stack
let config: string[]
/** Page 10 of d.orders, before it was encrypted. */
let plainPage: Buffer

before(async () => {
  stack = await agentStack({ server: { ...inTheClear, ...kept } })
  config = ['--config', join(stack.agentDirectory, 'agent.conf')]
  for (const keyId of ['1', '2', '4']) await keys('create', keyId)
  await stack.initialise()
  await stack.startServer()
})

after(() => stack.remove())

test('a server without encryption: everything that lies on the disk in the clear is named', async () => {
  await fill()
  await stack.stopServer()
  const { code, diagnosis } = await diagnosisOf(stack)
  assert.equal(code, 1)
  assert.deepEqual(said(diagnosis, 'SRD_TABLE_PLAINTEXT'), [
    'd: 5 InnoDB tables in the clear: deleted, keyed, orders, places, undone',
    'd: 1 InnoDB table in the clear, made with ENCRYPTED=NO: never',
    'mysql: 4 InnoDB tables in the clear: gtid_slave_pos, innodb_index_stats, innodb_table_stats, transaction_registry',
  ])
  assert.match(
    found(diagnosis, 'SRD_SYSTEM_TABLESPACE_PLAINTEXT').where,
    /ibdata1, .*undo001, .*undo002, .*undo003$/,
  )
  assert.match(found(diagnosis, 'SRD_REDO_LOG_PLAINTEXT').where, /ib_logfile0$/)
  assert.deepEqual(said(diagnosis, 'SRD_BINARY_LOG_PLAINTEXT'), [
    ': 1 binary log in the clear: binlog.000001',
  ])
  assert.match(said(diagnosis, 'SRD_ARIA_PLAINTEXT').join('\n'), /^d: 1 Aria table in the clear: notes$/m)
  assert.match(
    said(diagnosis, 'SRD_ARIA_PLAINTEXT').join('\n'),
    /^d: 1 Aria table .* can not be encrypted: rows$/m,
  )
  assert.match(said(diagnosis, 'SRD_ARIA_PLAINTEXT').join('\n'), /^mysql: \d\d Aria tables in the clear: /m)
  assert.match(found(diagnosis, 'SRD_ARIA_LOG_PLAINTEXT').what, /the changes of 1 Aria table: d\/notes/)
  assert.deepEqual(said(diagnosis, 'SRD_ENGINE_WITHOUT_ENCRYPTION'), [
    'd: 1 MyISAM table, which MariaDB can not encrypt: old',
  ])
  assert.deepEqual(all(diagnosis, 'SRD_NEEDED_KEY_MISSING'), [])
  plainPage = readFileSync(join(stack.dataDirectory, 'd/orders.ibd')).subarray(10 * 16384, 11 * 16384)
})

test('encryption turned on without encryption threads: what existed stays in the clear, and InnoDB has no row for it', async () => {
  await restartWith({ ...encryptEverything, 'innodb-encryption-threads': '0' })
  await stack.server.query('CREATE TABLE d.new (i INT PRIMARY KEY)')
  await stack.server.query('SET GLOBAL general_log = ON')
  const rows = (await readEncryptionStatus(stack.server)).map(({ name, encrypted }) => `${name} ${encrypted}`)
  assert.deepEqual(rows, ['d/never false', 'd/new true'])
  const { diagnosis } = await diagnosisOf(stack)
  assert.match(
    said(diagnosis, 'SRD_TABLE_PLAINTEXT').join('\n'),
    /^d: 5 InnoDB tables in the clear: deleted, keyed, orders, places, undone$/m,
  )
  assert.match(all(diagnosis, 'SRD_TABLE_PLAINTEXT')[0]?.remedy ?? '', /innodb_encryption_threads is 0/)
  assert.equal(all(diagnosis, 'SRD_SYSTEM_TABLESPACE_PLAINTEXT').length, 1)
  assert.deepEqual(all(diagnosis, 'SRD_REDO_LOG_PLAINTEXT'), [])
  assert.deepEqual(said(diagnosis, 'SRD_BINARY_LOG_PLAINTEXT'), [
    ': 1 binary log in the clear: binlog.000001',
  ])
})

test('with encryption threads InnoDB calls all encrypted: what they passed by is found', async () => {
  await stack.server.query('SET GLOBAL innodb_encryption_threads = 4')
  await allAtVersion(1)
  const { diagnosis } = await diagnosisOf(stack)
  assert.deepEqual(said(diagnosis, 'SRD_TABLE_PLAINTEXT'), [
    'd: 1 InnoDB table in the clear, made with ENCRYPTED=NO: never',
  ])
  assert.deepEqual(all(diagnosis, 'SRD_SYSTEM_TABLESPACE_PLAINTEXT'), [])
  const partly = found(diagnosis, 'SRD_TABLE_PARTLY_PLAINTEXT')
  assert.match(partly.where, /d\/places\.ibd$/)
  assert.match(partly.what, /has \d+ pages in the clear among \d+ encrypted ones, of spatial indexes/)
  assert.match(
    said(diagnosis, 'SRD_FREED_PAGES_PLAINTEXT').join('\n'),
    /^d\/deleted\.ibd: has \d\d pages that were freed/m,
  )
  assert.ok(readFileSync(join(stack.dataDirectory, 'd/deleted.ibd')).includes(marker), 'the rows are there')
  const ignored = found(diagnosis, 'SRD_KEY_ID_IGNORED')
  assert.match(ignored.where, /d\/keyed\.ibd$/)
  assert.match(ignored.what, /with key 1, though its table was made with ENCRYPTION_KEY_ID=4/)
})

test('each remedy helps', async () => {
  const { server } = stack
  await server.query('ALTER TABLE d.never ENCRYPTED=DEFAULT')
  for (const table of ['deleted', 'places', 'undone', 'notes'])
    await server.query(`ALTER TABLE d.${table} FORCE`)
  await server.query('ALTER TABLE d.keyed FORCE, ALGORITHM=COPY')
  await server.query('ALTER TABLE d.notes TRANSACTIONAL=0')
  await server.query('ALTER TABLE d.rows ROW_FORMAT=PAGE')
  await server.query('ALTER TABLE d.old ENGINE=InnoDB')
  for (const table of await ownAriaTables()) await server.query(`ALTER TABLE ${table} FORCE`)
  await server.query("PURGE BINARY LOGS TO 'binlog.000002'")
  await server.query('SET GLOBAL general_log = OFF')
  await server.query('SET GLOBAL innodb_fast_shutdown = 0')
  await restartWith({ ...encryptEverything, 'innodb-undo-tablespaces': '2' })
  await allAtVersion(1)
  const { diagnosis } = await diagnosisOf(stack)
  assert.deepEqual(dataFindings(diagnosis), [])
})

test('a page in the clear among encrypted ones, as a faulty restore leaves it', async () => {
  await stack.stopServer()
  const file = join(stack.dataDirectory, 'd/orders.ibd')
  const encrypted = replacePage(file, 10, plainPage)
  const { diagnosis } = await diagnosisOf(stack)
  replacePage(file, 10, encrypted)
  assert.deepEqual(
    dataFindings(diagnosis).map(({ code }) => code),
    ['SRD_TABLE_PARTLY_PLAINTEXT'],
  )
  assert.match(
    found(diagnosis, 'SRD_TABLE_PARTLY_PLAINTEXT').what,
    /^has 1 page in the clear among \d+ encrypted ones$/,
  )
  await stack.startServer()
})

test('two rotations, and all data at version 3: without version 1 the redo log can not be read', async () => {
  const { server } = stack
  for (const version of [2, 3]) {
    await keys('rotate', '1')
    await server.query('FLUSH BINARY LOGS')
    await until(`binary logs are at version ${version}`, async () => {
      await server.query('FLUSH BINARY LOGS')
      return versionsOfLogs().has(version)
    })
  }
  await allAtVersion(3)
  await stack.stopServer()
  assert.deepEqual(dataFindings((await diagnosisOf(stack)).diagnosis), [])

  const missing = await withoutKeys(['1.1', '1.2', '4.1'])
  assert.deepEqual(
    missing.map(({ where }) => where.replace(`${stack.dataDirectory}/`, '')),
    ['aws-kms-key.1.1', 'aws-kms-key.1.2', 'aws-kms-key.4.1'],
  )
  const [first, second, fourth] = missing.map(({ what }) => what)
  assert.match(first ?? '', /^is missing, and needed for the redo log, .*(Aria)/)
  assert.doesNotMatch(first ?? '', /ibd/)
  assert.match(second ?? '', /^is missing, and needed for binlog\.\d{6}/)
  assert.match(fourth ?? '', /^is missing, and needed for \d+ pages of d\/keyed\.ibd$/)
})

test('it is so: without version 1 the server does not start', async () => {
  const key = join(stack.dataDirectory, 'aws-kms-key.1.1')
  renameSync(key, `${key}.away`)
  await stack.agent.stop()
  await stack.startAgent().catch(() => undefined)
  await assert.rejects(stack.startServer(), /Obtaining redo log encryption key version 1 failed|not start/)
  renameSync(`${key}.away`, key)
})

async function fill(): Promise<void> {
  const { server } = stack
  await server.query('CREATE DATABASE d')
  for (const table of ['orders', 'deleted', 'undone'])
    await server.query(`CREATE TABLE d.${table} (i INT PRIMARY KEY, c CHAR(200))`)
  await server.query('INSERT INTO d.orders SELECT seq, seq FROM d.seq_1_to_3000')
  await server.query(`INSERT INTO d.deleted SELECT seq, '${marker}' FROM d.seq_1_to_3000`)
  await server.query('CREATE TABLE d.keyed (i INT PRIMARY KEY) ENCRYPTION_KEY_ID=4')
  await server.query('CREATE TABLE d.never (i INT PRIMARY KEY) ENCRYPTED=NO')
  await server.query('CREATE TABLE d.notes (i INT PRIMARY KEY, c CHAR(200)) ENGINE=Aria')
  await server.query(
    'CREATE TABLE d.rows (i INT PRIMARY KEY, c VARCHAR(9)) ENGINE=Aria ROW_FORMAT=DYNAMIC TRANSACTIONAL=0',
  )
  await server.query('CREATE TABLE d.old (i INT PRIMARY KEY) ENGINE=MyISAM SELECT 1 AS i')
  await server.query('SET GLOBAL innodb_checksum_algorithm = crc32')
  await server.query('CREATE TABLE d.places (i INT PRIMARY KEY, g POINT NOT NULL, SPATIAL INDEX(g))')
  await server.query('INSERT INTO d.places SELECT seq, POINT(seq, seq) FROM d.seq_1_to_1000')
  await server.query('SET GLOBAL innodb_checksum_algorithm = full_crc32')
  await server.query('DELETE FROM d.deleted WHERE i > 100')
  await server.query('INSERT INTO d.undone SELECT seq, seq FROM d.seq_1_to_3000')
  await server.query('DELETE FROM d.undone')
  await until('what was deleted is purged', async () => {
    const [row] = await server.query("SHOW STATUS LIKE 'Innodb_history_list_length'")
    return Number(row?.['Value']) === 0
  })
}

async function restartWith(options: Readonly<Record<string, string | true>>): Promise<void> {
  await stack.stopServer()
  const { server } = stack.listener
  await prepareServer({
    directory: join(stack.directory, 'server'),
    options: { ...server, 'log-bin': 'binlog', ...kept, ...options },
  })
  await stack.startServer()
}

/** All tablespaces but those of which a table says that it is not to be encrypted. */
async function allAtVersion(version: number): Promise<void> {
  await until(`every tablespace is at version ${version}`, async () => {
    const rows = await readEncryptionStatus(stack.server)
    const others = rows.filter(({ name }) => name !== 'd/never')
    return (
      others.some(({ name }) => name === 'd/orders') &&
      others.every((row) => row.minKeyVersion === row.currentKeyVersion && !row.rotatingOrFlushing) &&
      others.some(({ name, minKeyVersion }) => name === 'innodb_system' && minKeyVersion === version)
    )
  })
}

async function keys(action: string, keyId: string): Promise<void> {
  const { code, stderr } = await strongroom(['keys', action, keyId, ...config])
  assert.equal(code, 0, stderr)
}

/** Those of MariaDB, quoted. */
async function ownAriaTables(): Promise<string[]> {
  const rows = await stack.server.query(
    "SELECT CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') AS name FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA IN ('mysql', 'sys') AND ENGINE = 'Aria'",
  )
  return rows.map(({ name }) => String(name))
}

function versionsOfLogs(): Set<number> {
  const names = readdirSync(stack.dataDirectory).filter((name) => /^binlog\.\d+$/.test(name))
  return new Set(
    names.flatMap((name) => {
      const start = readBinaryLogStart(readFileSync(join(stack.dataDirectory, name)).subarray(0, 1024))
      return start?.encrypted === true ? [start.keyVersion] : []
    }),
  )
}

/** What doctor says of the keys that the data asks for while these are not there. */
async function withoutKeys(names: readonly string[]): Promise<Finding[]> {
  const paths = names.map((name) => join(stack.dataDirectory, `aws-kms-key.${name}`))
  for (const path of paths) renameSync(path, `${path}.away`)
  try {
    return all((await diagnosisOf(stack)).diagnosis, 'SRD_NEEDED_KEY_MISSING')
  } finally {
    for (const path of paths) renameSync(`${path}.away`, path)
  }
}

/** Writes a page of 16 KiB, and gives back what was there. */
function replacePage(file: string, pageNumber: number, page: Buffer): Buffer {
  const former = Buffer.alloc(page.length)
  const descriptor = openSync(file, 'r+')
  try {
    readSync(descriptor, former, 0, former.length, pageNumber * page.length)
    writeSync(descriptor, page, 0, page.length, pageNumber * page.length)
  } finally {
    closeSync(descriptor)
  }
  return former
}

type Finding = Diagnosis['findings'][number]

function dataFindings({ findings }: Diagnosis): Finding[] {
  return findings.filter(({ code }) => dataCodes.has(code))
}

function all({ findings }: Diagnosis, code: FindingCode): Finding[] {
  return findings.filter((finding) => finding.code === code)
}

function found(diagnosis: Diagnosis, code: FindingCode): Finding {
  const [finding, ...others] = all(diagnosis, code)
  assert.ok(
    finding !== undefined && others.length === 0,
    `${code} is found once: ${JSON.stringify(diagnosis.findings.map((f) => f.code))}`,
  )
  return finding
}

/** Where, below the data directory, and what. */
function said(diagnosis: Diagnosis, code: FindingCode): string[] {
  return all(diagnosis, code).map(
    ({ where, what }) => `${where.replace(stack.dataDirectory, '').replace(/^\//, '')}: ${what}`,
  )
}
