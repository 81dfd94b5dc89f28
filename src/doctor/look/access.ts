import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Command, commandFor } from '../../mariadb/account.ts'
import { findProgram } from '../../mariadb/programs.ts'

/** A user of the host. */
export interface HostUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** Which of some files a user may read and write. */
export interface Access {
  readonly reads: ReadonlySet<string>
  readonly writes: ReadonlySet<string>
}

export function hostUser(name: string): HostUser | undefined {
  return hostUsers().find((user) => user.name === name)
}

export function hostUserOf(uid: number): HostUser | undefined {
  return hostUsers().find((user) => user.uid === uid)
}

function hostUsers(): HostUser[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', , uid, gid, , home = ''] = line.split(':')
      return { name, uid: Number(uid), gid: Number(gid), home }
    })
}

/** Nobody's friend: what this one may, everybody may. */
export const anybody: HostUser = { name: 'nobody', uid: 65534, gid: 65534, home: '/' }

/**
 * Has the kernel say what a user may do with files: it knows modes, owners, groups, ACLs and every folder on the way. undefined:
 * only root may ask for others, and in some containers not even root.
 */
export function accessOf(user: HostUser, files: readonly string[]): Access | undefined {
  if (process.getuid?.() !== 0) return undefined
  const reads = new Set<string>()
  const writes = new Set<string>()
  for (let from = 0; from < files.length; from += filesAtOnce) {
    const answers = ask(user, files.slice(from, from + filesAtOnce))
    if (answers === undefined) return undefined
    for (const answer of answers) {
      const set = answer.startsWith('r') ? reads : writes
      set.add(answer.slice(1))
    }
  }
  return { reads, writes }
}

/** A command line holds only so much. */
const filesAtOnce = 500

/** `r` or `w` before each file that may be read or written; undefined: we may not become that user. */
function ask(user: HostUser, files: readonly string[]): string[] | undefined {
  const script =
    'for file do test -r "$file" && printf "r%s\\0" "$file"; test -w "$file" && printf "w%s\\0" "$file"; done; printf "end\\0"'
  const { stdout, error } = runAs(user, '/bin/sh', '-c', script, 'sh', ...files)
  const answers = error === undefined ? stdout.split('\0').slice(0, -1) : []
  // Without its last word it did not get to the end, and what it left out is no answer.
  return answers.pop() === 'end' ? answers : undefined
}

/** Runs such a command without our environment and folder, and ends it where it takes half a minute. */
export function runAs(user: HostUser, ...wished: readonly string[]): SpawnSyncReturns<string> {
  const [command, args] = commandAs(user, ...wished)
  return spawnSync(command, args, {
    encoding: 'utf8',
    cwd: '/',
    env: {},
    timeout: 30_000,
    killSignal: 'SIGKILL',
    maxBuffer: 16 * 1024 * 1024,
  })
}

/**
 * A command as another user, with that user's groups and without a way back: no new privileges, and in a session of its own, for our
 * terminal is not its. As ourselves where we are not root.
 */
function commandAs(user: HostUser, ...command: readonly string[]): Command {
  if (process.getuid?.() !== 0) return commandFor({}, ...command)
  const [setpriv, args] = commandFor({ other: user }, ...command)
  const groups = user === anybody ? '--clear-groups' : '--init-groups'
  return [
    findProgram('setsid'),
    [setpriv, '--no-new-privs', ...args.map((arg) => (arg === '--clear-groups' ? groups : arg))],
  ]
}
