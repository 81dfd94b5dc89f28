import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { program } from '../support/strongroom.ts'
import { scratchDirectory } from '../support/scratch.ts'

const templates = join(import.meta.dirname, '../../deploy/systemd')
const agent = 'strongroom-agent.service'
const values: Readonly<Record<string, string>> = {
  '@PROGRAM@': program,
  '@CONFIG@': '/etc/strongroom/agent.conf',
  '@DATA_DIRECTORY@': '/var/lib/mysql',
  '@VAULT_PORT@': '8201',
}

const skip =
  spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd-analyze is not installed'

test('systemd finds nothing to say about the units, with each way to give credentials', { skip }, (t) => {
  const ways = globSync('credentials-*.conf', { cwd: join(templates, `${agent}.d`) })
  assert.equal(ways.length, 3)
  for (const way of ways) {
    const folder = install(t, way)
    assert.equal(verify(folder), '', way)
  }
})

test('systemd would say what is wrong with them', { skip }, (t) => {
  const folder = install(t, 'credentials-file.conf')
  change(join(folder, agent), 'ProtectHome=yes', 'ProtectHouse=yes')
  assert.match(verify(folder), /strongroom-agent\.service:\d+: Unknown key.* 'ProtectHouse'/)
})

test('systemd counts an exposure of at most 2.0 of 10 for the agent', { skip }, (t) => {
  const folder = install(t, 'credentials-file.conf')
  const hardened = exposure(folder)
  t.diagnostic(`exposure: ${hardened}`)
  assert.ok(hardened <= 2, String(hardened))
  // What the number is without it.
  const text = readFileSync(join(folder, agent), 'utf8')
  const [unit = ''] = text.split('NoNewPrivileges=yes')
  writeFileSync(join(folder, agent), unit)
  assert.ok(exposure(folder) > 8)
})

/** All templates, with values, laid out as in /etc/systemd/system. */
function install(t: TestContext, credentials: string): string {
  const folder = scratchDirectory(t)
  for (const path of globSync('**/*.{service,conf}', { cwd: templates })) {
    const text = readFileSync(join(templates, path), 'utf8').replace(/@[A-Z_]+@/g, valueOf)
    const file = join(folder, path.replace(credentials, 'credentials.conf'))
    if (/credentials-.*\.conf$/.test(file)) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  // As for several servers on one host.
  cpSync(join(folder, 'mariadb.service.d'), join(folder, 'mariadb@.service.d'), { recursive: true })
  for (const unit of ['mariadb.service', 'mariadb@.service'])
    writeFileSync(join(folder, unit), '[Service]\nType=notify\nExecStart=/bin/true\n')
  return folder
}

function valueOf(name: string): string {
  return values[name] ?? assert.fail(`the templates have a placeholder ${name}`)
}

function verify(folder: string): string {
  return analyze(folder, 'verify', '--man=no', agent, 'mariadb.service', 'mariadb@one.service')
}

function exposure(folder: string): number {
  const said = analyze(folder, 'security', '--offline=yes', '--no-pager', agent)
  const [, number] = /Overall exposure level for strongroom-agent\.service: (\d+\.\d)/.exec(said) ?? []
  return Number(number ?? assert.fail(said))
}

/** What it wrote; it finds our units before this host's own. */
function analyze(folder: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync('systemd-analyze', args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', SYSTEMD_UNIT_PATH: `${folder}:`, LC_ALL: 'C.UTF-8' },
  })
  return stdout + stderr
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8')
  assert.ok(text.includes(from))
  writeFileSync(file, text.replace(from, to))
}
