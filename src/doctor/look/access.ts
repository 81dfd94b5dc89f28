import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { commandFor } from '../../mariadb/account.ts'

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
 * only root may ask for others.
 */
export function accessOf(user: HostUser, files: readonly string[]): Access | undefined {
  if (process.getuid?.() !== 0) return undefined
  const reads = new Set<string>()
  const writes = new Set<string>()
  for (let from = 0; from < files.length; from += filesAtOnce) {
    for (const answer of ask(user, files.slice(from, from + filesAtOnce))) {
      const set = answer.startsWith('r') ? reads : writes
      set.add(answer.slice(1))
    }
  }
  return { reads, writes }
}

/** A command line holds only so much. */
const filesAtOnce = 500

/** `r` or `w` before each file that may be read or written. */
function ask(user: HostUser, files: readonly string[]): string[] {
  const script =
    'for file do test -r "$file" && printf "r%s\\0" "$file"; test -w "$file" && printf "w%s\\0" "$file"; done; exit 0'
  const [command, args] = commandFor({ other: user }, '/bin/sh', '-c', script, 'sh', ...files)
  const withGroups = args.map((arg) => (arg === '--clear-groups' && user !== anybody ? '--init-groups' : arg))
  const { stdout } = spawnSync(command, withGroups, { encoding: 'utf8', cwd: '/', env: {} })
  return stdout.split('\0').filter((answer) => answer !== '')
}
