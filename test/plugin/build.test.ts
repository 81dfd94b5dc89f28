import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { buildPlugin, pluginDirectory } from '../../scripts/build-plugin.ts'
import { builtPlugin } from '../support/built-plugin.ts'
import { scratchDirectory } from '../support/scratch.ts'

const script = join(import.meta.dirname, '../../scripts/build-plugin.ts')

test('the plugin shows the server what it looks up, and nothing else', () => {
  const symbols = execFileSync('nm', ['-D', '--defined-only', builtPlugin()], { encoding: 'utf8' })
  assert.deepEqual(
    symbols
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^\S+ \S /, '')),
    [
      '_maria_plugin_declarations_',
      '_maria_plugin_interface_version_',
      '_maria_sizeof_struct_st_plugin_',
      // The server puts the address of its service in here.
      'my_print_error_service',
    ],
  )
})

test('it is hardened, and needs no library but libc', () => {
  const about = execFileSync('readelf', ['-dlW', builtPlugin()], { encoding: 'utf8' })
  assert.match(about, /\bBIND_NOW\b|FLAGS.* NOW\b/)
  assert.match(about, /^ +GNU_RELRO /m)
  assert.match(about, /^ +GNU_STACK .* RW +0x/m)
  assert.deepEqual(
    [...about.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name),
    ['libc.so.6'],
  )
  const calls = execFileSync('nm', ['-D', '--undefined-only', builtPlugin()], { encoding: 'utf8' })
  assert.match(calls, /__stack_chk_fail/)
  assert.match(calls, /__\w+_chk@/)
})

test('the same sources make the same bytes, wherever they lie', (t) => {
  const [one, other] = [copyOfSources(t), join(scratchDirectory(t), 'a longer name')]
  cpSync(one, other, { recursive: true })
  const bytes = [one, other].map((from) => readFileSync(buildPlugin({ from })))
  assert.deepEqual(bytes[0], bytes[1])
  for (const place of [one, other, import.meta.dirname]) assert.ok(bytes[0]?.includes(place) === false)
})

test('it is compiled again only when a source is newer', (t) => {
  const from = copyOfSources(t)
  const output = buildPlugin({ from })
  const first = statSync(output)
  buildPlugin({ from })
  assert.equal(statSync(output).ino, first.ino)
  const edited = new Date(Date.now() + 5000)
  utimesSync(join(from, 'agent_frames.h'), edited, edited)
  buildPlugin({ from })
  const second = statSync(output)
  assert.notEqual(second.ino, first.ino)
  buildPlugin({ from })
  assert.equal(statSync(output).ino, second.ino)
})

test('a failed compilation says what the compiler says, and leaves what was there', (t) => {
  const from = copyOfSources(t)
  const output = buildPlugin({ from })
  const before = readFileSync(output)
  writeFileSync(join(from, 'held_keys.c'), 'int unused(int)\n')
  const later = new Date(Date.now() + 5000)
  utimesSync(join(from, 'held_keys.c'), later, later)
  assert.throws(() => buildPlugin({ from }), /held_keys\.c:\d+.*: error/)
  assert.deepEqual(readFileSync(output), before)
  assert.deepEqual(readdirSync(join(from, 'build')), [basename(output)])
})

test('many processes may build it at once', async (t) => {
  const output = join(scratchDirectory(t), 'here/plugin.so')
  const runs = await Promise.all(Array.from({ length: 4 }, () => run(['--output', output])))
  assert.deepEqual(
    runs,
    runs.map(() => ({ code: 0, stdout: `${output}\n`, stderr: '' })),
  )
  assert.deepEqual(readdirSync(join(output, '..')), ['plugin.so'])
  assert.deepEqual(readFileSync(output), readFileSync(builtPlugin()))
})

test('what is missing is named, with the packages that have it', async (t) => {
  const folder = scratchDirectory(t)
  const output = ['--output', join(folder, 'plugin.so')]
  const without = async (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const { code, stdout, stderr } = await run([...output, ...args], env)
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
    return stderr
  }
  const compiler = await without({ PATH: folder })
  assert.match(
    compiler,
    /^build-plugin: no C compiler: cannot run cc\..*\bgcc and libc6-dev \(Debian, Ubuntu\).*Fedora/,
  )
  assert.match(await without({ CC: '/no/such/cc' }), /cannot run \/no\/such\/cc/)

  const headers =
    /^build-plugin: no mysql\/plugin_encryption\.h in .*\blibmariadbd-dev \(Debian.*mariadb-devel \(Fedora\)/
  assert.match(await without({}, '--include', folder), headers)
  assert.match(await without({ MARIADB_INCLUDE: folder }), headers)

  // A compiler that knows of no libraries, and headers with no library beside them.
  const stub = join(folder, 'cc')
  writeFileSync(stub, '#!/bin/sh\necho libmysqlservices.a\n')
  chmodSync(stub, 0o755)
  mkdirSync(join(folder, 'a/b/c/mysql'), { recursive: true })
  writeFileSync(join(folder, 'a/b/c/mysql/plugin_encryption.h'), '')
  const library = await without({ CC: stub }, '--include', join(folder, 'a/b/c'))
  assert.match(
    library,
    /^build-plugin: no libmysqlservices\.a .*libmariadb-dev \(Debian, Ubuntu;.*mariadb-devel \(Fedora\)/,
  )

  writeFileSync(join(folder, 'a/b/libmysqlservices.a'), '')
  writeFileSync(
    stub,
    '#!/bin/sh\necho "x.c:1:10: fatal error: dlfcn.h: No such file or directory" >&2\nexit 1\n',
  )
  mkdirSync(join(folder, 'lib'))
  writeFileSync(join(folder, 'lib/libmysqlservices.a'), '')
  const libc = await without({ CC: stub }, '--include', join(folder, 'a/b/c'))
  assert.match(libc, /^build-plugin: no dlfcn\.h: .* gcc and libc6-dev \(Debian, Ubuntu\)/)
})

test('the command that README.md names builds the same plugin', (t) => {
  const from = copyOfSources(t)
  const readme = readFileSync(join(pluginDirectory, 'README.md'), 'utf8')
  const command = /^```sh\n(cc [^]*?)^```$/m.exec(readme)?.[1]
  assert.ok(command !== undefined)
  const built = spawnSync('sh', ['-euc', command], { cwd: from, encoding: 'utf8' })
  assert.deepEqual([built.status, built.stdout, built.stderr], [0, '', ''])
  const symbols = (file: string) =>
    execFileSync('nm', ['-D', '--format=just-symbols', file], { encoding: 'utf8' })
  assert.equal(symbols(join(from, 'aws_key_management.so')), symbols(builtPlugin()))
})

function copyOfSources(t: TestContext): string {
  const folder = join(scratchDirectory(t), 'plugin')
  cpSync(pluginDirectory, folder, { recursive: true, filter: (file) => basename(file) !== 'build' })
  return folder
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}
