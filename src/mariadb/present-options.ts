import { readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** One option where it stands in an option file. */
export interface PresentOption {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly group: string
  /** Lower case with `-`, without `loose-`; `skip-x` and `disable-x` are `x` with the value OFF. */
  readonly name: string
  /** undefined: it stands without one. */
  readonly value: string | undefined
}

/** How option files are read: on this machine, or in another tree. */
export interface OptionFileAccess {
  /** undefined: MariaDB passes it over. */
  read(file: string): string | undefined
  /** Names in a folder; none where it is not there. */
  list(folder: string): readonly string[]
}

/** `place` tells where the file or folder of a path lies. */
export function optionFilesOf(place: (path: string) => string): OptionFileAccess {
  return {
    read: (file) => {
      try {
        const found = statSync(place(file))
        const isRead = found.isFile() && (found.mode & 0o002) === 0
        return isRead ? readFileSync(place(file), 'utf8') : undefined
      } catch {
        return undefined
      }
    },
    list: (folder) => {
      try {
        return readdirSync(place(folder))
      } catch {
        return []
      }
    },
  }
}

/** The same with one file that is yet to be written. */
export function withFile(access: OptionFileAccess, file: string, text: string): OptionFileAccess {
  return {
    read: (path) => (path === file ? text : access.read(path)),
    list: (folder) =>
      folder.replace(/(?<=.)\/$/, '') === dirname(file)
        ? [...new Set([...access.list(folder), basename(file)])]
        : access.list(folder),
  }
}

/**
 * The options that mariadbd reads from its option files, in the order in which they count: the last one wins. Files that are not
 * there or that MariaDB passes over (writable for everybody, not readable) count as empty, as they do for MariaDB.
 */
export function presentOptions(
  files: readonly string[],
  groups: readonly string[],
  access: OptionFileAccess,
): PresentOption[] {
  return files.flatMap((file) => readOptions(file, access, 0)).filter(({ group }) => groups.includes(group))
}

/** The groups that mariadbd reads, and mariadb-backup among others. */
export function serverGroups(
  version: { readonly major: number; readonly minor: number } | undefined,
): string[] {
  const versions = version === undefined ? [] : [`${version.major}.${version.minor}`]
  return ['mysqld', 'server', 'mariadb', 'mariadbd']
    .flatMap((group) => [group, ...versions.map((suffix) => `${group}-${suffix}`)])
    .concat('client-server', 'galera')
}

/** As deep as MariaDB includes (mysys/my_default.c). */
const deepest = 10

function readOptions(file: string, access: OptionFileAccess, depth: number): PresentOption[] {
  const text = access.read(file)
  const options: PresentOption[] = []
  let group = ''
  for (const [at, raw] of (text ?? '').split('\n').entries()) {
    const line = raw.trim()
    const included = /^!include(dir)?\s+(.+)$/.exec(line)
    if (included !== null && depth < deepest) {
      const [, directory, path = ''] = included
      const files = directory === undefined ? [path] : filesIn(path, access)
      for (const found of files) options.push(...readOptions(found, access, depth + 1))
      continue
    }
    if (line === '' || /^[#;!]/.test(line)) continue
    const heading = /^\[([^\]]*)\]/.exec(line)?.[1]
    if (heading === undefined) options.push({ file, line: at + 1, group, ...optionOf(line) })
    else group = heading.trim()
  }
  return options
}

function filesIn(folder: string, access: OptionFileAccess): string[] {
  const names = access.list(folder).filter((name) => name.endsWith('.cnf'))
  return names.sort().map((name) => join(folder, name))
}

function optionOf(line: string): { name: string; value: string | undefined } {
  const at = line.indexOf('=')
  const written = (at < 0 ? withoutComment(line) : line.slice(0, at)).trim()
  const value = at < 0 ? undefined : valueOf(line.slice(at + 1).trim())
  const name = written
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/^loose-/, '')
  const off = /^(?:skip|disable)-(.+)$/.exec(name)?.[1]
  if (off !== undefined) return { name: off, value: 'OFF' }
  return { name: name.replace(/^enable-/, ''), value }
}

/** Quotes are taken away, escapes are left: none of the options that are looked for has one. */
function valueOf(text: string): string {
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(text)?.[2]
  return quoted ?? withoutComment(text)
}

function withoutComment(text: string): string {
  return text.replace(/\s*#.*$/, '').trim()
}
