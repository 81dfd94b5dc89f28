import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

/** A checkout and a PATH of its own: nothing that setup.sh calls is the machine's, but for harmless tools. */
let scratch: string

const harmless = [
  'sh',
  'cat',
  'chmod',
  'dirname',
  'env',
  'flock',
  'grep',
  'mktemp',
  'paste',
  'rm',
  'tail',
  'tr',
]
const packages = [
  'mariadb-server',
  'mariadb-backup',
  'mariadb-plugin-hashicorp-key-management',
  'awscli',
  'python3-boto3',
  'curl',
  'gcc',
  'libc6-dev',
  'libmariadbd-dev',
  'mariadb-test',
  'mariadb-test-data',
  'acl',
  'apparmor',
  'checkpolicy',
  'debootstrap',
  'selinux-utils',
  'semodule-utils',
  'strace',
  'systemd',
  'systemd-container',
]
const allButServer = packages.filter((name) => name !== 'mariadb-server')
const lock = JSON.stringify({ packages: { '': {}, 'node_modules/zod': { version: '1.0.0' } } })

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'strongroom-setup-'))
  for (const folder of ['bin', 'checkout/scripts', 'checkout/node_modules/node/bin'])
    mkdirSync(join(scratch, folder), { recursive: true })
  copyFileSync('scripts/setup.sh', join(scratch, 'checkout/scripts/setup.sh'))
  write('checkout/package-lock.json', lock)
  write('checkout/node_modules/.package-lock.json', lock)
  symlinkSync(process.execPath, join(scratch, 'checkout/node_modules/node/bin/node'))
  for (const tool of harmless) symlinkSync(join('/usr/bin', tool), join(scratch, 'bin', tool))
  symlinkSync(process.execPath, join(scratch, 'bin/node'))
  stub('id', 'echo 0')
  stub('npm', logCall)
  stub('apt-get', logCall + policyStub)
  stub('apt-cache', 'echo "  500 https://deb.example/debian"')
  installedPackages(packages)
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true })
})

test('nothing to do: silent, and quick', () => {
  const started = performance.now()
  const { status, stderr } = setup('--quiet', '--for-tests')
  assert.deepEqual({ status, stderr, calls: calls() }, { status: 0, stderr: '', calls: [] })
  assert.ok(performance.now() - started < 2000, 'the promise is 0.3 s on an idle machine')
})

test('root: installs only what is missing, with no service started and none left forbidden', () => {
  installedPackages(allButServer)
  const { status, stderr } = setup('--quiet')
  assert.equal(stderr, 'setup: updating the package lists\nsetup: installing mariadb-server\n')
  assert.equal(status, 0)
  assert.deepEqual(calls(), [
    'apt-get -qq -o DPkg::Lock::Timeout=300 update',
    'policy: exit 101',
    'apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends mariadb-server',
    'policy: exit 101',
  ])
  assert.ok(!existsSync(join(scratch, 'policy-rc.d')))
})

test('a policy-rc.d that exists is left as found', () => {
  installedPackages(allButServer)
  write('policy-rc.d', '#!/bin/sh\nexit 0\n')
  assert.equal(setup().status, 0)
  assert.equal(read('policy-rc.d'), '#!/bin/sh\nexit 0\n')
})

test('a failed installation shows what apt said, and leaves no policy-rc.d', () => {
  installedPackages(allButServer)
  stub('apt-get', 'echo "E: Unable to fetch"; exit 100')
  const { status, stderr } = setup()
  assert.equal(status, 1)
  assert.match(stderr, /E: Unable to fetch\nsetup: apt-get .* update failed\n$/)
  assert.ok(!existsSync(join(scratch, 'policy-rc.d')))
})

test('not root: goes through sudo', () => {
  installedPackages(allButServer)
  stub('id', 'echo 1000')
  stub('sudo', `${logCall}[ "$1" != -n ] || exit 0\nexec "$@"`)
  assert.equal(setup().status, 0)
  const sudoCalls = calls().filter((call) => call.startsWith('sudo'))
  assert.equal(sudoCalls.at(-1), `sudo rm -f ${join(scratch, 'policy-rc.d')}`)
  assert.match(sudoCalls.join('\n'), /^sudo apt-get .* update$/m)
  assert.match(
    sudoCalls.join('\n'),
    /^sudo env DEBIAN_FRONTEND=noninteractive .* apt-get .* mariadb-server$/m,
  )
})

test('neither root nor sudo: names the command', () => {
  installedPackages(allButServer)
  stub('id', 'echo 1000')
  const { status, stderr } = setup()
  assert.equal(status, 1)
  assert.equal(
    stderr,
    'setup: must install mariadb-server, but is neither run by root nor is there sudo. Run as root:\n' +
      '  apt-get update && apt-get install --yes --no-install-recommends mariadb-server\n',
  )
})

test('sudo that wants a password where nobody can type: names the command', () => {
  installedPackages(allButServer)
  stub('id', 'echo 1000')
  stub('sudo', 'exit 1')
  const { status, stderr } = setup()
  assert.equal(status, 1)
  assert.match(stderr, /^ {2}sudo apt-get update && sudo apt-get install .* mariadb-server$/m)
})

test('no apt: says so', () => {
  rmSync(join(scratch, 'bin/apt-get'))
  rmSync(join(scratch, 'bin/dpkg-query'))
  const { status, stderr } = setup()
  assert.equal(status, 1)
  assert.match(stderr, /this system has no apt-get/)
})

test('a distribution without the plugin: says which has it', () => {
  installedPackages(packages.filter((name) => !name.includes('plugin')))
  stub('apt-cache', 'echo "  Candidate: (none)"')
  const { status, stderr } = setup()
  assert.equal(status, 1)
  assert.match(stderr, /no package mariadb-plugin-hashicorp-key-management here; needs MariaDB 10\.9/)
})

test('what only the tests need counts only for the tests', () => {
  // awscli has a test of its own.
  for (const name of packages.slice(4)) {
    installedPackages(packages.filter((other) => other !== name))
    assert.equal(setup('--dry-run').stderr, 'setup: everything is there\n')
    assert.equal(setup('--dry-run', '--for-tests').stderr, `setup: would install ${name}\n`)
  }
  installedPackages(packages.slice(0, 3))
  assert.equal(setup('--dry-run').stderr, 'setup: everything is there\n')
  assert.equal(
    setup('--quiet', '--for-tests').stderr.split('\n')[1],
    `setup: installing ${packages.slice(3).join(' ')}`,
  )
})

test('awscli counts only for the tests, and only where it is packaged', () => {
  installedPackages(packages.filter((name) => name !== 'awscli'))
  assert.equal(setup('--quiet').stderr, '')
  assert.match(setup('--dry-run', '--for-tests').stderr, /would install awscli$/m)
  stub('apt-cache', '[ "$2" != apt ] || echo "  500 https://deb.example/debian"')
  assert.equal(setup('--quiet', '--for-tests').stderr, '')
})

test('an old Node.js, and none at all', () => {
  stub('node', 'echo 18.20.4')
  const old = setup()
  assert.equal(old.status, 1)
  assert.match(
    old.stderr,
    /needs Node\.js 20 or later; .* is 18\.20\.4\. Run:\n {2}npm install --global node@24\n$/,
  )
  rmSync(join(scratch, 'bin/node'))
  const none = setup()
  assert.equal(none.status, 1)
  assert.match(none.stderr, /no node\)\. Run:\n {2}apt-get install --yes nodejs npm\n/)
})

test('node_modules that differ from the lock file: npm ci, whatever the files are dated', () => {
  write('checkout/package-lock.json', lock.replace('1.0.0', '1.0.1'))
  assert.equal(setup('--dry-run').stderr, 'setup: would install node_modules (npm ci)\n')
  assert.equal(setup('--quiet').stderr, 'setup: installing node_modules (npm ci)\n')
  assert.deepEqual(calls(), ['npm ci --no-audit --no-fund'])
})

test('a runtime that npm left out: npm rebuild, then an error that names the command', () => {
  rmSync(join(scratch, 'checkout/node_modules/node/bin/node'))
  const { status, stderr } = setup()
  assert.equal(status, 1)
  assert.deepEqual(calls(), ['npm rebuild node --ignore-scripts=false'])
  assert.match(stderr, /^ {2}cd .*checkout && npm rebuild node --ignore-scripts=false --foreground-scripts$/m)
})

test('a dry run changes nothing; an unknown option is refused', () => {
  installedPackages(allButServer)
  assert.equal(setup('--dry-run').stderr, 'setup: would install mariadb-server\n')
  assert.deepEqual(calls(), [])
  assert.equal(setup('--frobnicate').status, 2)
})

const logCall = 'echo "$(basename_of "$0") $*" >>"$SCRATCH/calls"\n'
const policyStub =
  '[ ! -e "$SCRATCH/policy-rc.d" ] || echo "policy: $(tail -n 1 "$SCRATCH/policy-rc.d")" >>"$SCRATCH/calls"\n'

function setup(...args: string[]) {
  return spawnSync('sh', [join(scratch, 'checkout/scripts/setup.sh'), ...args], {
    encoding: 'utf8',
    env: {
      PATH: join(scratch, 'bin'),
      TMPDIR: scratch,
      SCRATCH: scratch,
      STRONGROOM_SETUP_POLICY_FILE: join(scratch, 'policy-rc.d'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function stub(name: string, body: string) {
  const file = join(scratch, 'bin', name)
  rmSync(file, { force: true })
  writeFileSync(file, `#!/bin/sh\nbasename_of() { echo "\${1##*/}"; }\n${body}\n`)
  chmodSync(file, 0o755)
}

function installedPackages(names: readonly string[]) {
  stub('dpkg-query', names.map((name) => `printf '%s' '${name} installed;'`).join('\n'))
}

function calls(): string[] {
  return existsSync(join(scratch, 'calls')) ? read('calls').trimEnd().split('\n') : []
}

function write(path: string, text: string) {
  writeFileSync(join(scratch, path), text)
}

function read(path: string): string {
  return readFileSync(join(scratch, path), 'utf8')
}
