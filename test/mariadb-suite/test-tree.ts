import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { extname, join } from 'node:path'
import { makePluginFolder } from '../../src/mariadb/plugin-folder.ts'
import { builtPlugin } from '../support/built-plugin.ts'
import { withAgentsPlugin } from './rewriting.ts'
import type { Site } from './site.ts'

/** Of Debian 12, and of later ones. */
const places = ['/usr/share/mysql/mysql-test', '/usr/share/mariadb/mariadb-test']

const stockPlugin = '/usr/lib/mysql/plugin/hashicorp_key_management.so'

/** Those that take their keys from plugins which are distributed with them, or from file_key_management. */
const rewrittenSuites = ['encryption', 'binlog_encryption', 'mariabackup']

const rewrittenKinds = new Set(['.cnf', '.combinations', '.inc', '.opt', '.pm', '.result', '.test'])

/** Where MariaDB's tests lie. */
export function installedTests(): string {
  const found = places.find((place) => existsSync(join(place, 'mtr')))
  if (found !== undefined) return found
  throw new Error(
    `no MariaDB tests in ${places.join(' or ')}: they are in mariadb-test and mariadb-test-data`,
  )
}

/**
 * Makes a tree of links to MariaDB's tests in which the suites take their keys from the site's agent. Returns the folder from which `mtr` is run.
 */
export function makeTestTree(site: Site, folder: string): string {
  const original = installedTests()
  const rewrite = (text: string): string => withAgentsPlugin(text, site)
  // mtr finds the programs beside a folder `bin` above itself.
  const [, , ...above] = join(original, '..').split('/')
  const shared = join(folder, ...above)
  const tree = join(shared, 'mysql-test')
  mkdirSync(join(tree, 'suite'), { recursive: true })
  symlinkSync('/usr/bin', join(folder, 'bin'))
  symlinkSync('/usr/sbin', join(folder, 'sbin'))
  layPlugins(site, join(folder, 'lib/mysql/plugin'))
  linkAll(join(original, '..'), shared)
  linkAll(original, tree, ['include'])
  linkAll(join(original, 'suite'), join(tree, 'suite'), rewrittenSuites)
  copyRewritten(join(original, 'include'), join(tree, 'include'), rewrite)
  for (const suite of rewrittenSuites)
    copyRewritten(join(original, 'suite', suite), join(tree, 'suite', suite), rewrite)
  return tree
}

/** Without those in whose place the agent's are: a test that asked for one of them would fail. */
function layPlugins(site: Site, folder: string): void {
  mkdirSync(join(folder, '..'), { recursive: true })
  makePluginFolder(folder, site.listener === 'plugin' ? builtPlugin() : stockPlugin)
  for (const name of ['file_key_management.so', 'example_key_management.so'])
    rmSync(join(folder, name), { force: true })
}

/** Links what is in a folder, but for what is named and what is there already. */
function linkAll(from: string, to: string, except: readonly string[] = []): void {
  for (const name of readdirSync(from)) {
    if (!except.includes(name) && !existsSync(join(to, name))) symlinkSync(join(from, name), join(to, name))
  }
}

/** The same files, rewritten; `mtr` patches some of them, for which it wants files and no links. */
function copyRewritten(from: string, to: string, rewrite: (text: string) => string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)]
    if (statSync(source).isDirectory()) copyRewritten(source, target, rewrite)
    else if (!rewrittenKinds.has(extname(name))) copyFileSync(source, target)
    // Results are not all UTF-8; each byte is a character here.
    else writeFileSync(target, rewrite(readFileSync(source, 'latin1')), 'latin1')
  }
}
