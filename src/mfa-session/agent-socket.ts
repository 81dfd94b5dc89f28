import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { messageOf, StrongroomError, systemCode } from '../errors.ts'

const byOthers = 0o022
const sticky = 0o1000
/** As Linux follows (path_resolution(7)). */
const mostLinks = 40

/**
 * Makes sure that whoever listens at the socket is who was given that place: Node.js can't ask the kernel who the peer is. Nobody but root,
 * ourselves and the socket's owner may be able to put a socket there, and where everybody may, the owner must be root or us. Throws
 * SR_ADMIN_UNTRUSTED, and SR_ADMIN_FAILED where there is none.
 */
export function requireAgentSocket(path: string): void {
  try {
    requireTrust(path)
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    throw new StrongroomError(
      'SR_ADMIN_FAILED',
      `cannot find the agent's admin socket ${path} (${systemCode(error) ?? messageOf(error)}): see that the agent runs, and that its admin-socket is this one`,
      { cause: error },
    )
  }
}

function requireTrust(path: string): void {
  const steps = walk('/', resolve(path).slice(1).split('/'), mostLinks)
  const socket = lstatSync(steps.at(-1) ?? path)
  if (!socket.isSocket()) throw untrusted(path, 'it is no socket')
  if ((socket.mode & 0o077) !== 0) throw untrusted(path, `others may connect to it (mode ${modeOf(socket)})`)
  const us = [0, process.geteuid?.() ?? 0]
  for (const step of steps) {
    const directory = dirname(step)
    const fault = faultOf(lstatSync(directory), { owner: lstatSync(step).uid, socketOwner: socket.uid, us })
    if (fault !== undefined) throw untrusted(path, `${directory} ${fault}`)
  }
}

interface Owners {
  /** Of what is in the directory. */
  readonly owner: number
  readonly socketOwner: number
  readonly us: readonly number[]
}

function faultOf(directory: Stats, { owner, socketOwner, us }: Owners): string | undefined {
  if (![...us, socketOwner].includes(directory.uid)) return `is another user's (uid ${directory.uid})`
  if ((directory.mode & byOthers) === 0) return undefined
  if ((directory.mode & sticky) === 0) return `can be written by others (mode ${modeOf(directory)})`
  // Nobody takes away what is another's there, but anybody may have been the first.
  return us.includes(owner) ? undefined : `can be written by others, and what is in it is of uid ${owner}`
}

/** Every file, directory and symbolic link on the way there; the last is what is there. */
function walk(directory: string, [name, ...rest]: readonly string[], linksLeft: number): string[] {
  if (name === undefined) return []
  const step = join(directory, name)
  if (!lstatSync(step).isSymbolicLink()) return [step, ...walk(step, rest, linksLeft)]
  if (linksLeft === 0) throw new Error('too many symbolic links')
  const target = resolve(directory, readlinkSync(step)).slice(1).split('/')
  return [step, ...walk('/', [...target, ...rest], linksLeft - 1)]
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

function untrusted(path: string, why: string): StrongroomError {
  return new StrongroomError(
    'SR_ADMIN_UNTRUSTED',
    `the socket ${path} may be another's than the agent's, so no credentials are handed over: ${why}; nothing was started`,
  )
}
