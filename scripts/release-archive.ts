import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { machine, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { buildPlugin, findHeaders, pluginDirectory } from './build-plugin.ts'
import { compileProduct, root } from './release-tree.ts'

/**
 * `node scripts/release-archive.ts [--output FILE] [--own-packages]`: makes strongroom-VERSION.tar.gz, with the product
 * compiled, the packages that it needs, and the plugin built for this machine's MariaDB. The same commit makes the same
 * bytes on the same distribution. With --own-packages, node_modules is taken from this checkout, not from the registry.
 */

const packageSchema = z.object({ version: z.string() })
const lockSchema = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })

const { values } = parseArgs({ options: { output: { type: 'string' }, 'own-packages': { type: 'boolean' } } })
const { version } = packageSchema.parse(readJson(join(root, 'package.json')))
const name = `strongroom-${version}`
const scratch = mkdtempSync(join(tmpdir(), 'strongroom-release-'))
try {
  const tree = join(scratch, name)
  compileProduct(tree)
  for (const part of ['LICENSE', 'README.md', 'SECURITY.md', 'deploy', 'docs', 'package-lock.json'])
    cpSync(join(root, part), join(tree, part), { recursive: true })
  addPlugin(join(tree, 'plugin'))
  if (values['own-packages'] === true) linkPackages(tree)
  else run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund'], tree)
  const output = resolve(values.output ?? join(root, `${name}.tar.gz`))
  pack(output)
  console.log(output)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function addPlugin(directory: string) {
  mkdirSync(directory)
  for (const file of globSync(['*.c', '*.h', 'README.md', 'COPYING'], { cwd: pluginDirectory }))
    cpSync(join(pluginDirectory, file), join(directory, file))
  buildPlugin({ output: join(directory, 'built', builtFor(), 'aws_key_management.so') })
}

/** Such as debian12-10.11.19-x86_64. */
function builtFor(): string {
  const release = readFileSync('/etc/os-release', 'utf8')
  const [id, number] = ['ID', 'VERSION_ID'].map(
    (key) => new RegExp(`^${key}="?([\\w.-]+)"?$`, 'm').exec(release)?.[1] ?? '',
  )
  const versions = readFileSync(join(findHeaders(), 'mysql_version.h'), 'utf8')
  const mariadb = /MYSQL_SERVER_VERSION\s+"(\d+\.\d+\.\d+)/.exec(versions)?.[1]
  if (mariadb === undefined) throw new Error('cannot tell the version of MariaDB from mysql_version.h')
  return `${id ?? ''}${number ?? ''}-${mariadb}-${machine()}`
}

/** What npm ci would install without the packages for development; scripts/setup.sh has seen to it that they are right. */
function linkPackages(tree: string) {
  const { packages } = lockSchema.parse(readJson(join(root, 'package-lock.json')))
  const needed = Object.keys(packages).filter((path) => path !== '' && packages[path]?.dev !== true)
  for (const path of needed) {
    // What lies within another comes along with it.
    if (path.lastIndexOf('node_modules/') > 0) continue
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    symlinkSync(join(root, path), join(tree, path))
  }
}

/** Whoever makes it, and when, leaves no trace. */
function pack(output: string) {
  const epoch = process.env['SOURCE_DATE_EPOCH'] ?? run('git', ['log', '-1', '--format=%ct'], root).trim()
  const archive = join(scratch, 'archive.tar')
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', '--dereference']
  run(
    'tar',
    ['--create', '--file', archive, '--format=gnu', '--sort=name', `--mtime=@${epoch}`, ...owner, name],
    scratch,
  )
  run('gzip', ['--no-name', archive], scratch)
  cpSync(`${archive}.gz`, output)
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
