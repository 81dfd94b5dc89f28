import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { StrongroomError } from '../errors.ts'
import { findProgram } from './programs.ts'

/** Whom the server runs as: user mysql where we are root, which mariadbd refuses to be, else ourselves. */
export interface ServerAccount {
  /** Set where it is another user than ours: files have to be given to it. */
  readonly other?: { readonly uid: number; readonly gid: number }
}

export type Command = [program: string, args: string[]]

export function serverAccount(): ServerAccount {
  if (process.getuid?.() !== 0) return {}
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('mysql:'))
  const [, , uid, gid] = (entry ?? '').split(':').map(Number)
  if (uid === undefined || gid === undefined)
    throw new StrongroomError(
      'SR_MARIADB_PLACE',
      'there is no user mysql; the package mariadb-server creates it',
    )
  return { other: { uid, gid } }
}

/**
 * A command that runs a program under the account. The user is changed by setpriv and not by --user, which makes
 * mariadb-install-db change the owners of MariaDB's own files, and would undo endingWithUs.
 */
export function commandFor(account: ServerAccount, ...command: readonly string[]): Command {
  if (account.other === undefined) return [findProgram('setpriv'), [...command]]
  const { uid, gid } = account.other
  return [findProgram('setpriv'), [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command]]
}

/**
 * The same, ended with SIGKILL when our process dies, however it dies. The kernel forgets that wish when a process
 * changes its user, so it is made by the setpriv that did so.
 */
export function endingWithUs([setpriv, args]: Command): Command {
  return [setpriv, ['--pdeathsig=KILL', ...args]]
}

/** Throws unless the account can write in a directory, which takes passing every directory above it. */
export function requireWritable(account: ServerAccount, directory: string) {
  const [command, args] = commandFor(account, 'test', '-w', directory)
  if (spawnSync(command, args).status === 0) return
  throw new StrongroomError(
    'SR_MARIADB_PLACE',
    `the user that mariadbd runs as cannot write in ${directory}: every directory above it must let that user pass ` +
      '(chmod o+x)',
  )
}
