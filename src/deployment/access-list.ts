import { StrongroomError } from '../errors.ts'
import type { Access } from './piece.ts'
import { runSystemProgram } from './system-programs.ts'

export interface Granted {
  /** Such as `rwx`; undefined: the list has no entry for the user. */
  readonly entry: string | undefined
  /** What is left of it by the mask. */
  readonly effective: string | undefined
}

/** What the access control list of a folder grants a user by name. Throws SR_DEPLOY_IMPOSSIBLE. */
export function grantedTo(userId: number, place: string): Granted {
  const { status, stdout, stderr } = runSystemProgram('getfacl', [
    '--numeric',
    '--absolute-names',
    '--omit-header',
    '--access',
    '--',
    place,
  ])
  if (status !== 0)
    throw new StrongroomError(
      'SR_DEPLOY_IMPOSSIBLE',
      `cannot read the access list of ${place}: ${stderr.trim()}`,
    )
  const rights = (of: string) => new RegExp(`^${of}:([r-][w-][x-])`, 'm').exec(stdout)?.[1]
  const entry = rights(`user:${userId}`)
  return { entry, effective: entry && both(entry, rights('mask:') ?? 'rwx') }
}

/** Adds the entry, or changes it, and sees to it that the mask leaves it whole. Throws SR_DEPLOY_IMPOSSIBLE. */
export function grant({ rights, path }: Access, userId: number, place: string): void {
  const { status, stderr } = runSystemProgram('setfacl', [
    '--modify',
    `user:${userId}:${rights}`,
    '--',
    place,
  ])
  if (status === 0) return
  const reason = stderr.trim()
  throw new StrongroomError(
    'SR_DEPLOY_IMPOSSIBLE',
    /not supported/i.test(reason)
      ? `the file system of ${path} keeps no access control lists (${reason}): mount it with them, or move the data directory`
      : `cannot change the access list of ${path}: ${reason}`,
  )
}

function both(entry: string, mask: string): string {
  return Array.from(entry, (right, at) => (mask[at] === right ? right : '-')).join('')
}
