import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { StrongroomError } from '../errors.ts'

/**
 * The group whose members may connect: the named one (a name or a number), else that of the data directory, else the
 * agent's own. Throws SR_LISTEN_FAILED.
 */
export function pluginGroupId(group: string | undefined, dataDirectory: string): number {
  if (group === undefined) return groupOf(dataDirectory) ?? process.getegid?.() ?? 0
  const id = /^\d{1,10}$/.test(group) ? group : lookUp(group)
  if (id !== undefined) return Number(id)
  throw new StrongroomError(
    'SR_LISTEN_FAILED',
    `there is no group ${JSON.stringify(group)} on this machine: correct group in [plugin-listener]`,
  )
}

function groupOf(directory: string): number | undefined {
  try {
    return statSync(directory).gid
  } catch {
    // The keyring tells of a directory that is missing or closed to us.
    return undefined
  }
}

/** Node.js can't look groups up; getent asks every source that this machine has. */
function lookUp(group: string): string | undefined {
  try {
    const entry = execFileSync('getent', ['group', '--', group], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return /^[^:]*:[^:]*:(\d+):/.exec(entry)?.[1]
  } catch {
    return undefined
  }
}
