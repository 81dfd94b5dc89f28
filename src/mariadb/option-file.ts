import { StrongroomError } from '../errors.ts'

/** Options of one group. `true` is an option without a value, such as skip-name-resolve. */
export type Options = Readonly<Record<string, string | true>>

/** Renders an option file (my.cnf) that MariaDB's programs read back as exactly these values. */
export function renderOptionFile(groups: Readonly<Record<string, Options>>): string {
  return Object.entries(groups)
    .map(([group, options]) => renderGroup(group, options))
    .join('\n')
}

function renderGroup(group: string, options: Options): string {
  requireName('group', group)
  const lines = Object.entries(options).map(([name, value]) => renderOption(name, value))
  return [`[${group}]`, ...lines].join('\n') + '\n'
}

function renderOption(name: string, value: string | true): string {
  requireName('option', name)
  if (value === true) return name
  if (value.includes('\0')) refuse(`the value of option ${name} holds a NUL character`)
  const line = `${name} = ${quote(value)}`
  if (Buffer.byteLength(line) > longestLine)
    refuse(`the value of option ${name} is longer than MariaDB reads`)
  return line
}

// MariaDB's readers (mysys/my_default.c) have a buffer of 4096 bytes a line and cut the rest off.
const longestLine = 4000

// Quotes keep spaces at the ends and '#', which begins a comment elsewhere.
function quote(value: string): string {
  return `"${value.replace(/[\\"\n\r\t\b]/g, (character) => escapes[character] ?? character)}"`
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
}

function requireName(kind: string, name: string) {
  if (!/^[a-z0-9][a-z0-9_.-]*$/i.test(name))
    refuse(`'${name}' is no name of an ${kind} in a MariaDB option file`)
}

function refuse(message: string): never {
  throw new StrongroomError('SR_MARIADB_OPTION', message)
}
