import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { messageOf } from '../../src/errors.ts'
import { commandFor, serverAccount } from '../../src/mariadb/account.ts'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { askForKey } from '../support/key-client.ts'
import { cannotReadMemory, occurrences, readMemory } from '../support/process-memory.ts'
import { pluginOf, serverStack } from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

/** A server with our plugin, and with MariaDB's audit plugin beside it. */
let stack: Stack
const auditLog = 'server_audit.log'

before(async () => {
  stack = await serverStack({
    listener: 'plugin',
    server: {
      'plugin-load-add': 'aws_key_management.so;server_audit.so',
      'server-audit-logging': 'ON',
      'server-audit-file-path': auditLog,
    },
  })
  await stack.server.query('CREATE DATABASE d')
  await stack.server.query('CREATE TABLE d.one (n INT) ENCRYPTION_KEY_ID=1')
  await stack.server.query('CREATE TABLE d.three (n INT) ENCRYPTION_KEY_ID=3')
})

after(() => stack.remove())

test('the socket and its folder are for the server’s group alone', () => {
  const { socket } = pluginOf(stack)
  const { gid } = statSync(stack.dataDirectory)
  for (const [path, mode] of [
    [socket, 0o660],
    [dirname(socket), 0o710],
  ] as const) {
    const found = statSync(path)
    assert.equal(found.mode & 0o7777, mode, path)
    assert.equal(found.gid, gid, path)
  }
})

test(
  'another user of the machine can’t connect',
  { skip: process.getuid?.() === 0 ? false : 'only root may become another user' },
  () => {
    const { other } = serverAccount()
    const connect = `use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
      print connect($s, sockaddr_un($ARGV[0])) ? 'connected' : "refused: $!"`
    const as = (account: { uid: number; gid: number }) => {
      const [command, args] = commandFor({ other: account }, 'perl', '-e', connect, pluginOf(stack).socket)
      return execFileSync(command, args, { cwd: '/', encoding: 'utf8', env: { LC_ALL: 'C' } })
    }
    assert.equal(as({ uid: 65534, gid: 65534 }), 'refused: Permission denied')
    assert.equal(as(other ?? { uid: -1, gid: -1 }), 'connected')
  },
)

test('rotate_key = 1 rotates at once, with the result as a note on the client and in the error log', async () => {
  const { failure, notes } = await setRotateKey('1')
  assert.equal(failure, undefined)
  assert.deepEqual(notes, ['Note 1105 AWS KMS plugin: key 1 now has version 2'])
  assert.match(
    errorLog(),
    /\[Note\] \S+ AWS KMS plugin: generated encrypted datakey for key id=1, version=2\n/,
  )
  assert.match(errorLog(), /\[Note\] \S+ AWS KMS plugin: loaded key 1, version 2, key length 256 bit\n/)
  assert.match(errorLog(), /\[Note\] \S+ AWS KMS plugin: key 1 now has version 2\n/)
  const [row] = await stack.server.query('SELECT @@GLOBAL.aws_key_management_rotate_key AS v')
  assert.equal(row?.['v'], 0)
})

test('rotate_key = -1 rotates every key; what was written before is read, what comes is encrypted anew', async () => {
  await stack.server.query('INSERT INTO d.three VALUES (3)')
  const { notes } = await setRotateKey('-1')
  assert.deepEqual(notes, [
    'Note 1105 AWS KMS plugin: key 1 now has version 3; key 2 now has version 2; key 3 now has version 2',
  ])
  assert.equal(await shown('versions'), '1: 3 2 1; 2: 2 1; 3: 2 1')
  assert.equal(await shown('keys'), '7')
  await stack.server.query('CREATE TABLE d.more (n INT) ENCRYPTION_KEY_ID=3')
  const more = (await readEncryptionStatus(stack.server)).find(({ name }) => name === 'd/more')
  assert.equal(more?.currentKeyVersion, 2)
  assert.deepEqual(await stack.server.query('SELECT n FROM d.three'), [{ n: 3 }])
})

test('a rotation by the operator is noticed at once, with no restart', async () => {
  const run = await strongroom(['keys', 'rotate', '3', '--config', join(stack.agentDirectory, 'agent.conf')])
  assert.equal(run.stdout, 'key 3, version 3, 256 bit\n')
  await until('the plugin holds it', async () => (await shown('versions')).includes('3: 3 2 1'))
  await stack.server.query('CREATE TABLE d.newest (n INT) ENCRYPTION_KEY_ID=3')
  const newest = (await readEncryptionStatus(stack.server)).find(({ name }) => name === 'd/newest')
  assert.equal(newest?.currentKeyVersion, 3)
})

for (const { value, says } of [
  { value: '77', says: /AWS KMS plugin: key 77 has no version that could be rotated/ },
  { value: '-2', says: /can't be set to the value of '-2'/ },
  { value: '4294967296', says: /can't be set to the value of '4294967296'/ },
  { value: "'all'", says: /Incorrect argument type/ },
]) {
  test(`rotate_key = ${value} is an error`, async () => {
    const versions = await shown('versions')
    assert.match((await setRotateKey(value)).failure ?? '', says)
    assert.equal(await shown('versions'), versions)
  })
}

test('rotation while the KMS is down is an error on the client and in the error log, and then works', async () => {
  await stack.kms.stop()
  const { failure, notes } = await setRotateKey('-1')
  assert.match(
    failure ?? '',
    /AWS KMS plugin: keys 1, 2, 3 not rotated: cannot reach http:\S+ \(ECONNREFUSED\)/,
  )
  assert.match(notes[0] ?? '', /^Error 1105 AWS KMS plugin: keys 1, 2, 3 not rotated/)
  assert.match(errorLog(), /\[ERROR\] \S+ AWS KMS plugin: keys 1, 2, 3 not rotated: cannot reach/)
  await stack.startKms()
  await until('it rotates again', async () => (await setRotateKey('1')).failure === undefined)
})

test('the status says whether the agent is there and how old its last answer is', async () => {
  assert.equal(await shown('agent'), 'connected')
  const age = Number(await shown('last_answer_age'))
  assert.ok(Number.isInteger(age) && age >= 0, String(age))
})

test('it can’t be uninstalled, and the stock Vault plugin can’t be installed beside it', async () => {
  for (const sql of ['UNINSTALL PLUGIN aws_key_management', "UNINSTALL SONAME 'aws_key_management.so'"]) {
    assert.match(await stack.server.query(sql).then(() => '', messageOf), /force_plus_permanent/)
  }
  await assert.rejects(stack.server.query("INSTALL SONAME 'hashicorp_key_management.so'"), { errno: 1123 })
  await stack.server.query('CREATE TABLE d.still (n INT) ENCRYPTION_KEY_ID=1')
})

test('server_audit does its work beside it', () => {
  const log = readFileSync(join(stack.dataDirectory, auditLog), 'utf8')
  assert.match(log, /CREATE TABLE d\.one \(n INT\) ENCRYPTION_KEY_ID=1/)
  assert.match(log, /SET GLOBAL aws_key_management_rotate_key = -1/)
})

test(
  'the plugin’s keys are in memory that is locked and left out of core dumps',
  { skip: cannotReadMemory },
  async () => {
    const config = ['--config', join(stack.agentDirectory, 'agent.conf')]
    // The server gets a latest version without asking, so that nobody but the plugin has it: no table uses that id.
    await stack.server.query('CREATE TABLE d.short (n INT) ENCRYPTION_KEY_ID=9')
    await stack.server.query('DROP TABLE d.short')
    for (const version of [2, 3]) {
      const run = await strongroom(['keys', 'rotate', '9', ...config])
      assert.equal(run.stdout, `key 9, version ${version}, 256 bit\n`)
    }
    await until('the plugin holds them', async () => (await shown('versions')).includes('9: 3 2 1'))
    const memory = readMemory(stack.server.pid)
    const isKept = ({ flags }: { flags: readonly string[] }) => flags.includes('lo') && flags.includes('dd')
    const kept = memory.filter(isKept)
    const others = memory.filter((region) => !isKept(region))

    for (const version of [2, 3]) {
      const key = await askForKey(stack, 9, version)
      assert.ok(typeof key !== 'string')
      assert.equal(occurrences(kept, key.bytes), 1, `version ${version} in the plugin's memory`)
      assert.equal(occurrences(others, key.bytes), 0, `version ${version} elsewhere`)
    }
    // Of a key in use the server has copies of its own, about which the plugin can do nothing.
    const used = await askForKey(stack, 1, 1)
    assert.ok(typeof used !== 'string')
    assert.equal(occurrences(kept, used.bytes), 1)
    const locked = /^VmLck:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${stack.server.pid}/status`, 'utf8'))?.[1]
    assert.ok(Number(locked) > 0)
    assert.doesNotMatch(errorLog(), /cannot be locked/)
  },
)

async function setRotateKey(value: string): Promise<{ failure: string | undefined; notes: string[] }> {
  const connection = await stack.server.connect()
  try {
    const set = connection.query(`SET GLOBAL aws_key_management_rotate_key = ${value}`)
    const failure = await set.then(() => undefined, messageOf)
    const rows: unknown = await connection.query('SHOW WARNINGS')
    return {
      failure,
      notes: Array.isArray(rows)
        ? rows.map((row: Record<string, unknown>) => Object.values(row).join(' '))
        : [],
    }
  } finally {
    await connection.end()
  }
}

/** A status variable of the plugin. */
async function shown(name: string): Promise<string> {
  const [row] = await stack.server.query(`SHOW GLOBAL STATUS LIKE 'Aws_key_management_${name}'`)
  return String(row?.['Value'])
}

function errorLog(): string {
  return readFileSync(stack.prepared.errorLog, 'utf8')
}
