import { spawn } from 'node:child_process'
import type { Log } from '../keyring/log.ts'

/** Characters. */
const longestAssignment = 2000

/**
 * Tells systemd how the service stands: assignments such as `READY=1` (sd_notify(3)). Node.js has no datagram sockets of the unix kind, so
 * systemd's own `systemd-notify` sends it: the unit needs `NotifyAccess=all`. Without systemd this does nothing.
 */
export async function notifySystemd(log: Log, ...assignments: string[]): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return
  await new Promise<void>((resolve) => {
    const child = spawn('systemd-notify', assignments.map(asArgument), { stdio: 'ignore' })
    child.once('error', (error) => {
      log.error({ err: error }, 'cannot run systemd-notify, so systemd does not hear how the agent stands')
      resolve()
    })
    child.once('exit', (code) => {
      if (code !== 0)
        log.error({ code }, 'systemd-notify failed, so systemd does not hear how the agent stands')
      resolve()
    })
  })
}

/**
 * A line break would begin another assignment. What a file of MariaDB's names may be part of it, and an argument that is too long, or has a
 * NUL, is one that no process is started with.
 */
function asArgument(assignment: string): string {
  return assignment.replace(/\s*\p{Cc}[\s\p{Cc}]*/gu, ' ').slice(0, longestAssignment)
}
