import { spawn } from 'node:child_process'
import type { Log } from '../keyring/log.ts'

/**
 * Tells systemd how the service stands: assignments such as `READY=1` (sd_notify(3)). Node.js has no datagram sockets of the unix kind, so
 * systemd's own `systemd-notify` sends it: the unit needs `NotifyAccess=all`. Without systemd this does nothing.
 */
export async function notifySystemd(log: Log, ...assignments: string[]): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return
  await new Promise<void>((resolve) => {
    // A line break would begin another assignment.
    const lines = assignments.map((assignment) => assignment.replace(/\s*[\r\n]\s*/g, ' '))
    const child = spawn('systemd-notify', lines, { stdio: 'ignore' })
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
