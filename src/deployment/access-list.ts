import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
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

/**
 * Adds the entry, or changes it, and sees to it that the mask leaves it whole. The folder is the one that `check` was shown, whatever its
 * name leads to meanwhile. Throws SR_DEPLOY_IMPOSSIBLE, and what `check` throws.
 */
export function grant(
  { rights, path }: Access,
  userId: number,
  place: string,
  check: (found: Stats) => void,
): void {
  const folder = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    check(fstatSync(folder))
    const args = ['--modify', `user:${userId}:${rights}`, '--', '/proc/self/fd/3']
    const { status, stderr } = runSystemProgram('setfacl', args, { file: folder })
    if (status !== 0) throw refusal(path, stderr.replaceAll('/proc/self/fd/3', path))
  } finally {
    closeSync(folder)
  }
}

function refusal(path: string, stderr: string): StrongroomError {
  const reason = stderr.trim()
  return new StrongroomError(
    'SR_DEPLOY_IMPOSSIBLE',
    /not supported/i.test(reason)
      ? `the file system of ${path} keeps no access control lists (${reason}): mount it with them, or move the data directory`
      : `cannot change the access list of ${path}: ${reason}`,
  )
}

function both(entry: string, mask: string): string {
  return Array.from(entry, (right, at) => (mask[at] === right ? right : '-')).join('')
}
