import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { StrongroomError } from '../errors.ts'

/** The programs that are called, with the Debian package of each. */
const packageOf = {
  mariadbd: 'mariadb-server',
  'mariadb-install-db': 'mariadb-server',
  mariadb: 'mariadb-client',
  my_print_defaults: 'mariadb-client-core',
  'mariadb-backup': 'mariadb-backup',
  setpriv: 'util-linux',
  setsid: 'util-linux',
} as const

export type Program = keyof typeof packageOf

/** The path of a program; servers are often in /usr/sbin, which is not on everyone's PATH. */
export function findProgram(program: Program): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  const found = folders
    .filter(Boolean)
    .map((folder) => join(folder, program))
    .find(isProgram)
  if (found !== undefined) return found
  throw new StrongroomError(
    'SR_MARIADB_PROGRAM_MISSING',
    `${program} is not on this machine; it is in the package ${packageOf[program]} (scripts/setup.sh installs it)`,
  )
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
