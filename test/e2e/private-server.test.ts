import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { prepareServer, type PreparedServer, type RunningServer } from '../../src/mariadb/server.ts'

let scratch: string
let prepared: PreparedServer
const started: RunningServer[] = []

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sr-private-'))
  chmodSync(scratch, 0o711)
  prepared = await prepareServer({ directory: join(scratch, 'server'), options: {} })
  await prepared.initialise()
})

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.kill()))
})

after(() => {
  rmSync(scratch, { recursive: true })
})

test('a private server starts, answers, stops cleanly, and leaves nothing', async () => {
  const server = await start(prepared)
  assert.deepEqual(await server.query('SELECT 1 + ? AS two', [1]), [{ two: 2 }])
  assert.deepEqual(await server.query('CREATE DATABASE probe'), [])
  assert.deepEqual(await server.query('SELECT @@datadir AS d, @@port AS p, @@skip_networking AS s'), [
    { d: `${prepared.dataDirectory}/`, p: 0, s: 1 },
  ])
  assert.deepEqual(await readEncryptionStatus(server), [])
  await assert.rejects(prepared.start(), { code: 'SR_MARIADB_START', message: /answers at .* already/ })
  const connection = await server.connect()
  await connection.query('SET @x = 1')
  await connection.end()
  await server.stop()
  assert.deepEqual(await server.exited, { code: 0, signal: null })
  assert.ok(!isAlive(server.pid))
  assert.ok(!existsSync(prepared.socket))
})

test('its option file is nobody else’s to read', () => {
  assert.equal(statSync(prepared.optionFile).mode & 0o007, 0)
  assert.equal(statSync(prepared.dataDirectory).mode & 0o077, 0)
})

test('its environment holds nothing of ours', async () => {
  process.env['AWS_SECRET_ACCESS_KEY'] = 'not-for-the-server'
  const server = await start(prepared)
  delete process.env['AWS_SECRET_ACCESS_KEY']
  assert.doesNotMatch(readFileSync(`/proc/${server.pid}/environ`, 'utf8'), /not-for-the-server/)
  await server.stop()
})

test('a stop that is refused ends by SIGKILL', async () => {
  const server = await start(prepared)
  process.kill(server.pid, 'SIGSTOP')
  await server.stop({ limit: 200 })
  assert.deepEqual(await server.exited, { code: null, signal: 'SIGKILL' })
  const again = await start(prepared)
  assert.equal((await again.query('SHOW DATABASES LIKE ?', ['probe'])).length, 1)
  await again.stop()
})

test('wrong options: fails at once, with the line of the error log', async () => {
  const options = { 'innodb-page-size': '8k' }
  const wrong = await prepareServer({ directory: join(scratch, 'server'), options })
  const began = performance.now()
  await assert.rejects(wrong.start(), {
    code: 'SR_MARIADB_START',
    message: /^mariadbd did not start \(exit code 1\):\n[^]*\[ERROR\] InnoDB: .*innodb_page_size/,
  })
  assert.ok(performance.now() - began < 10_000)
})

test('an initialisation that fails says why', async () => {
  const options = { 'no-such-option': '1' }
  const wrong = await prepareServer({ directory: join(scratch, 'wrong'), options })
  await assert.rejects(wrong.initialise(), { code: 'SR_MARIADB_START', message: /no-such-option/ })
})

test('a place that cannot work is refused before anything is made', async () => {
  const directory = join(scratch, 'x'.repeat(100))
  await assert.rejects(prepareServer({ directory, options: {} }), {
    code: 'SR_MARIADB_PLACE',
    message: /107/,
  })
  assert.ok(!existsSync(directory))
  for (const name of ['a b', 'a;b', '$a'])
    await assert.rejects(prepareServer({ directory: join(scratch, name), options: {} }), {
      code: 'SR_MARIADB_PLACE',
      message: /without spaces/,
    })
})

test('a server does not outlive whoever started it', async () => {
  await prepareServer({ directory: join(scratch, 'server'), options: {} })
  const program = `
    import { prepareServer } from './src/mariadb/server.ts'
    const prepared = await prepareServer({ directory: ${JSON.stringify(join(scratch, 'server'))}, options: {} })
    const server = await prepared.start()
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let pid = 0
  parent.stdout.on('data', (data) => (pid = Number(data)))
  await Promise.race([once(parent.stdout, 'data'), once(parent, 'exit')])
  assert.ok(isAlive(pid))
  parent.kill('SIGKILL')
  for (let tries = 0; isAlive(pid) && tries < 100; tries++) await sleep(50)
  assert.ok(!isAlive(pid))
})

async function start(place: PreparedServer): Promise<RunningServer> {
  const server = await place.start()
  started.push(server)
  return server
}

function isAlive(pid: number): boolean {
  try {
    // A zombie still takes signals; its state tells.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
