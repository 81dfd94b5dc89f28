import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ownMirror } from './requirements.ts'

const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'acl'],
  ...['mariadb-server', 'mariadb-backup', 'mariadb-plugin-hashicorp-key-management'],
]

/** What nobody reads there, and syncing each file of a tree that a crash may cost, take half as long again. */
const dpkgOptions = [
  'force-unsafe-io',
  ...['man', 'locale', 'doc'].map((name) => `path-exclude=/usr/share/${name}/*`),
]

/** Installs a Debian with systemd and MariaDB into a new folder: 600 MB, and most of a minute. */
export async function makeDebianTree(tree: string): Promise<void> {
  mkdirSync(join(tree, 'etc/dpkg/dpkg.cfg.d'), { recursive: true })
  writeFileSync(join(tree, 'etc/dpkg/dpkg.cfg.d/test'), `${dpkgOptions.join('\n')}\n`)
  const { url, release } = ownMirror()
  const options = ['--variant=minbase', `--include=${packages.join(',')}`, ...ownCache()]
  await run('debootstrap', [...options, release, tree, url])
  // Without an id the first boot enables each unit that there is.
  await run('systemd-machine-id-setup', [`--root=${tree}`])
  // What the machine logged before it was started again can be read afterwards.
  mkdirSync(join(tree, 'var/log/journal'), { recursive: true })
  writeFileSync(join(tree, 'etc/hostname'), 'database\n')
  // As an installation makes it.
  writeFileSync(join(tree, 'etc/hosts'), '127.0.0.1 localhost\n')
  keepOffTheNetwork(tree)
}

/** The machine has this host's network, on which other tests' servers listen. */
function keepOffTheNetwork(tree: string): void {
  writeFileSync(join(tree, 'etc/mysql/mariadb.conf.d/98-test.cnf'), '[mariadbd]\nskip-networking\n')
  const socket = join(tree, 'etc/systemd/system/mariadb.socket.d')
  mkdirSync(socket)
  const streams = ['[Socket]', 'ListenStream=', 'ListenStream=/run/mysqld/mysqld.sock']
  writeFileSync(join(socket, 'test.conf'), `${streams.join('\n')}\n`)
}

/** Packages that this host has fetched already. */
function ownCache(): string[] {
  const cache = '/var/cache/apt/archives'
  return existsSync(cache) ? [`--cache-dir=${cache}`] : []
}

/** Throws the end of what the program wrote where it fails. It ends with this process. */
export async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (code === 0) return
  const said = `${stdout}${stderr}`.trimEnd().split('\n').slice(-20).join('\n')
  throw new Error(`${program} failed (${code ?? 'ended by a signal'}):\n${said}`)
}
