import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * `node scripts/build-plugin.ts [--output FILE] [--include DIR]`: compiles aws_key_management.so, where a source is
 * newer than it. The same sources, compiler and headers make the same bytes, wherever the checkout lies.
 */

export interface PluginBuild {
  readonly output?: string | undefined
  /** The folder that has mysql/plugin_encryption.h. */
  readonly include?: string | undefined
  /** The folder that has the sources. */
  readonly from?: string
}

export const pluginDirectory = join(import.meta.dirname, '../plugin')
const sources = ['aws_key_management.c', 'agent_link.c', 'agent_connection.c', 'agent_talk.c', 'held_keys.c']
const headerFolders = ['/usr/include/mariadb/server', '/usr/include/mysql/server']
const neededHeader = 'mysql/plugin_encryption.h'
const compilerPackages = 'the packages gcc and libc6-dev (Debian, Ubuntu) or gcc and glibc-devel (Fedora)'

const hardening = ['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong', '-Wl,-z,relro,-z,now,-z,noexecstack']
const sharedObject = ['-O2', '-g', '-fPIC', '-shared', '-fvisibility=hidden', '-DMYSQL_DYNAMIC_PLUGIN']

/** The options for a program that ends at its first fault. */
export function sanitizing(kind = 'address,undefined'): string[] {
  return ['-O1', '-g', `-fsanitize=${kind}`, '-fno-sanitize-recover=all']
}

/** Builds the plugin unless it is newer than its sources; returns its path. Many processes may do so at once. */
export function buildPlugin(build: PluginBuild = {}): string {
  const from = build.from ?? pluginDirectory
  const output = resolve(build.output ?? join(from, 'build/aws_key_management.so'))
  const headers = findHeaders(build.include)
  const newest = newestInput(from, join(headers, neededHeader))
  // With which headers an earlier build was made, nobody knows: others than the usual ones count as news.
  if (build.include === undefined && existsSync(output) && statSync(output).mtimeMs >= newest) return output
  const compiler = findCompiler()
  const library = findLibrary(compiler, headers)
  mkdirSync(dirname(output), { recursive: true })
  const unfinished = join(dirname(output), `.${basename(output)}.${process.pid}`)
  try {
    // The sources are named relatively, so that their folder is all that could tell where they lay.
    const place = [`-ffile-prefix-map=${from}=plugin`, `-I${headers}`]
    compile(
      [...sharedObject, ...hardening, ...place, ...sources, '-o', unfinished, library, '-pthread'],
      from,
    )
    // An edit during the compilation has to count as newer than its result.
    utimesSync(unfinished, newest / 1000, newest / 1000)
    // A server that has the former file loaded keeps it.
    renameSync(unfinished, output)
  } finally {
    rmSync(unfinished, { force: true })
  }
  return output
}

/** Runs the C compiler in plugin/, with every warning an error. */
export function compile(args: readonly string[], from = pluginDirectory): void {
  const compiler = findCompiler()
  const all = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', ...args]
  const { status, stderr, error } = spawnSync(compiler, all, { cwd: from, encoding: 'utf8' })
  if (error !== undefined) throw new Error(`cannot run ${compiler}: ${error.message}`, { cause: error })
  const header = /fatal error: (\S+): No such file/.exec(stderr)?.[1]
  if (header !== undefined)
    throw new Error(`no ${header}: if it is one of C's own, it is in ${compilerPackages}\n${stderr}`)
  if (status !== 0) throw new Error(`${compiler} failed:\n${stderr}`)
}

/** $CC, else cc. */
function findCompiler(): string {
  const compiler = process.env['CC'] ?? 'cc'
  const { error } = spawnSync(compiler, ['--version'], { stdio: 'ignore' })
  if (error === undefined) return compiler
  throw new Error(`no C compiler: cannot run ${compiler}. It is in ${compilerPackages}; CC names another`)
}

/** The folder that has MariaDB's headers. */
export function findHeaders(wanted?: string): string {
  const chosen = wanted ?? process.env['MARIADB_INCLUDE']
  const folders = chosen === undefined ? headerFolders : [resolve(chosen)]
  const found = folders.find((folder) => existsSync(join(folder, neededHeader)))
  if (found !== undefined) return found
  throw new Error(
    `no ${neededHeader} in ${folders.join(' or ')}. It is in the package libmariadbd-dev (Debian, Ubuntu), ` +
      'mariadb-devel (Fedora) or MariaDB-devel (RPMs of mariadb.org); --include DIR or MARIADB_INCLUDE names ' +
      'another folder',
  )
}

function findLibrary(compiler: string, headers: string): string {
  const name = 'libmysqlservices.a'
  const { stdout } = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' })
  // The compiler repeats the bare name of what it can't find. A server from a tarball has it beside its headers.
  const places = [stdout.trim(), join(headers, '../../../lib', name)]
  const found = places.find((place) => place !== name && existsSync(place))
  if (found !== undefined) return found
  throw new Error(
    `no ${name} where ${compiler} looks for libraries. It is in the package libmariadb-dev (Debian, Ubuntu; ` +
      'libmariadbd-dev brings it), mariadb-devel (Fedora) or MariaDB-devel (RPMs of mariadb.org)',
  )
}

/** In ms. A package's headers bear the date of their making: what counts is when they came here. */
function newestInput(from: string, header: string): number {
  const own = [...sources, ...globSync('*.h', { cwd: from })].map((file) => join(from, file))
  const changes = [...own, import.meta.filename].map((file) => statSync(file).mtimeMs)
  return Math.ceil(Math.max(...changes, statSync(header).ctimeMs))
}

if (import.meta.main) {
  try {
    const options = { output: { type: 'string' }, include: { type: 'string' } } as const
    console.log(buildPlugin(parseArgs({ options }).values))
  } catch (error) {
    console.error(`build-plugin: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
