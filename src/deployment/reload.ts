import { existsSync } from 'node:fs'
import { StrongroomError } from '../errors.ts'
import { runSystemProgram } from './system-programs.ts'

/** Where systemd runs, it reads its units anew: those of a run that was killed, too. Throws SR_DEPLOY_FAILED. */
export function reloadSystemd(): void {
  // sd_booted(3)
  if (!existsSync('/run/systemd/system')) return
  const { status, stderr } = runSystemProgram('systemctl', ['daemon-reload'])
  if (status === 0) return
  throw new StrongroomError('SR_DEPLOY_FAILED', `systemctl daemon-reload failed: ${stderr.trim()}`)
}
