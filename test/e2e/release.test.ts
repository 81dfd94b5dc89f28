import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { pluginDirectory } from '../../scripts/build-plugin.ts'
import { makePluginFolder } from '../../src/mariadb/plugin-folder.ts'
import { prepareServer } from '../../src/mariadb/server.ts'

const script = join(import.meta.dirname, '../../scripts/release-archive.ts')
const epoch = 1_700_000_000

let scratch: string
let archive: string
/** What the archive holds. */
let release: string

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'strongroom-test-'))
  // MariaDB's user has to reach the plugin.
  chmodSync(scratch, 0o711)
  archive = join(scratch, 'release.tar.gz')
  const flags = ['--disable-warning=ExperimentalWarning', script, '--own-packages', '--output', archive]
  execFileSync(process.execPath, flags, { env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) } })
  execFileSync('tar', ['--extract', '--file', archive, '--directory', scratch])
  release = globSync(join(scratch, 'strongroom-*'))[0] ?? assert.fail('it has no folder strongroom-VERSION')
})

after(() => {
  rmSync(scratch, { recursive: true, force: true })
})

test('an archive tells neither who made it nor when nor where: same order, owner, time and modes', () => {
  const list = ['--list', '--verbose', '--numeric-owner', '--full-time', '--utc', '--file', archive]
  const lines = execFileSync('tar', list, { encoding: 'utf8', maxBuffer: 1e8 }).trimEnd().split('\n')
  const entries = lines.map((line) => {
    const [mode, owner, , day, time, ...path] = line.split(/ +/)
    return { path: path.join(' '), about: `${mode ?? ''} ${owner ?? ''} ${day ?? ''} ${time ?? ''}` }
  })
  assert.deepEqual(
    [...new Set(entries.map(({ about }) => about))].sort(),
    ['-rw-r--r--', '-rwxr-xr-x', 'drwxr-xr-x'].map((mode) => `${mode} 0/0 2023-11-14 22:13:20`),
  )
  const parent = ({ path }: { path: string }) => dirname(path)
  const top = entries.filter((entry) => parent(entry) === release.slice(scratch.length + 1))
  assert.deepEqual(
    top.map(({ path }) => path),
    top.map(({ path }) => path).sort(),
  )
})

test('it holds the product compiled, no tests, no packages for development, and the plugin with its sources', () => {
  const files = readdirSync(join(release, 'dist'), { recursive: true, encoding: 'utf8' })
  assert.ok(files.includes('cli/main.js'))
  assert.deepEqual(
    files.filter((file) => file.includes('.test.') || file.endsWith('.ts')),
    [],
  )
  assert.deepEqual(readdirSync(release).sort(), [
    ...['LICENSE', 'README.md', 'SECURITY.md', 'bin', 'deploy', 'dist', 'docs', 'node_modules'],
    ...['package-lock.json', 'package.json', 'plugin'],
  ])
  const packages = readdirSync(join(release, 'node_modules'))
  assert.ok(packages.includes('pino') && !packages.includes('typescript') && !packages.includes('node'))
  const sources = globSync('*.[ch]', { cwd: pluginDirectory })
  assert.ok(sources.includes('aws_key_management.c') && sources.includes('agent_frames.h'))
  for (const file of ['COPYING', 'README.md', ...sources])
    assert.ok(existsSync(join(release, 'plugin', file)), file)
  assert.ok(!existsSync(join(release, 'plugin/build')))
})

test('what it holds does the whole demo', () => {
  // It has no Node.js of its own.
  const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  const program = join(release, 'bin/strongroom')
  const output = execFileSync(program, ['demo'], { encoding: 'utf8', env: { ...process.env, PATH } })
  assert.match(output, /All of it held\.\n$/)
})

test('its plugin is loaded by the server that it was built for', async () => {
  const [built = '', ...more] = globSync(join(release, 'plugin/built/*-*-*/aws_key_management.so'))
  assert.deepEqual(more, [])
  const folder = join(scratch, 'plugins')
  makePluginFolder(folder, built)
  const options = {
    'plugin-dir': folder,
    'plugin-load-add': 'aws_key_management',
    'aws-key-management': 'FORCE_PLUS_PERMANENT',
    'aws-key-management-socket': join(scratch, 'nobody-listens'),
    'aws-key-management-request-timeout': '100',
  }
  const prepared = await prepareServer({ directory: join(scratch, 'server'), options })
  await prepared.initialise()
  const server = await prepared.start()
  try {
    const sql =
      'SELECT PLUGIN_STATUS AS state, PLUGIN_TYPE AS kind, PLUGIN_LICENSE AS licence, PLUGIN_AUTHOR AS author ' +
      'FROM information_schema.PLUGINS WHERE PLUGIN_NAME = ?'
    assert.deepEqual(await server.query(sql, ['aws_key_management']), [
      { state: 'ACTIVE', kind: 'ENCRYPTION', licence: 'GPL', author: 'Strongroom' },
    ])
  } finally {
    await server.stop()
  }
})
