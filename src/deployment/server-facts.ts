import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import {
  optionFilesOf,
  type PresentOption,
  presentOptions,
  serverGroups,
} from '../mariadb/present-options.ts'
import { findProgram } from '../mariadb/programs.ts'
import type { Tree } from './tree.ts'

/** What there is to know of the MariaDB server that is installed. */
export interface ServerFacts {
  /** undefined: there is no mariadbd in this tree that could be asked. */
  readonly version: { readonly major: number; readonly minor: number; readonly text: string } | undefined
  readonly dataDirectory: string
  readonly pluginFolder: string | undefined
  /** Names of what lies in it. */
  readonly pluginFiles: readonly string[]
  /** The option files that it begins with; those include others. */
  readonly optionRoots: readonly string[]
  /** From its option files, in the order in which they count. */
  readonly options: readonly PresentOption[]
}

/** Asks mariadbd for its defaults, and reads its option files. */
export function serverFacts(tree: Tree): ServerFacts {
  const version = versionIn(ask(tree, ['--version']) ?? '')
  // With what its option files say it might not even print its help: a plugin or a folder that they name may be gone.
  const said = version === undefined ? '' : (ask(tree, ['--no-defaults', '--verbose', '--help']) ?? '')
  const files = /files in the given order:\n(.+)\n/.exec(said)?.[1]?.trim().split(' ')
  // ~ is whoever asks, not whom the server runs as.
  const optionRoots = (files ?? ['/etc/my.cnf', '/etc/mysql/my.cnf']).filter((file) => file.startsWith('/'))
  const options = presentOptions(
    optionRoots,
    serverGroups(version),
    optionFilesOf((path) => tree.place(path)),
  )
  const folder = (name: string) =>
    (
      options.findLast((option) => option.name === name)?.value ??
      new RegExp(`^${name} +(\\S.*)$`, 'm').exec(said)?.[1]?.trim()
    )?.replace(/(?<=.)\/$/, '')
  const pluginFolder = folder('plugin-dir')
  return {
    version,
    dataDirectory: folder('datadir') ?? '/var/lib/mysql',
    pluginFolder,
    pluginFiles: pluginFolder === undefined ? [] : namesIn(tree.place(pluginFolder)),
    optionRoots,
    options,
  }
}

function versionIn(text: string): ServerFacts['version'] {
  const [, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)-MariaDB/.exec(text) ?? []
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  return { major: Number(major), minor: Number(minor), text: `${major}.${minor}.${patch}` }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** What mariadbd prints; in another tree it is that tree's. undefined: there is none. */
function ask(tree: Tree, args: readonly string[]): string | undefined {
  const command = tree.isOurs ? ours() : theirs(tree)
  if (command === undefined) return undefined
  const [program = '', ...before] = command
  return spawnSync(program, [...before, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin' },
    maxBuffer: 16 * 1024 * 1024,
  }).stdout
}

function ours(): string[] | undefined {
  try {
    return [findProgram('mariadbd')]
  } catch {
    return undefined
  }
}

function theirs(tree: Tree): string[] | undefined {
  const program = ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd'].find(
    (path) => tree.look(path) !== undefined,
  )
  if (program === undefined || process.getuid?.() !== 0) return undefined
  // It may be anybody's: no more than what it takes to print a text.
  return ['chroot', '--userspec=65534:65534', '--groups=', tree.root, program]
}
