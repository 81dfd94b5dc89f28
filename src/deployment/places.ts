import { join } from 'node:path'
import type { Tree } from './tree.ts'

/** What the administrator of a host says to systemd, which comes before what packages say. */
export const systemFolder = '/etc/systemd/system'

/** Folders of ours, whose owner and mode are ours to say. */
export const ownConfigFolder = '/etc/strongroom'
export const ownUploadFolder = '/var/lib/mysql-files'

/** Where systemd finds what it hands over to the agent. */
export const credentialFiles = {
  file: '/etc/strongroom/aws-credentials',
  encrypted: '/etc/strongroom/aws-credentials.encrypted',
  'environment-file': '/etc/strongroom/aws-credentials.env',
} as const

/** A file that was there before us is kept beside its successor under this ending, which MariaDB and systemd don't read. */
export const backupEnding = '.before-strongroom'

/** By it we know files of our own, of which no copy is kept. */
export const ownMark = 'strongroom mariadb configure'

/** Where option files go: the server reads every .cnf file there, in the order of their names. */
const optionFolders = [
  ['/etc/mysql/mariadb.conf.d', '99-strongroom.cnf'],
  // Names there begin with letters, and ours must come last.
  ['/etc/my.cnf.d', 'zz-strongroom.cnf'],
] as const

/** undefined: the tree has no folder for option files. */
export function ownOptionFile(tree: Tree): string | undefined {
  const found = optionFolders.find(([folder]) => tree.look(folder)?.isDirectory() === true)
  return found && join(...found)
}
