import { spawnSync } from 'node:child_process'
import { StrongroomError, systemCode } from '../errors.ts'

/** The programs of the system that are called, with the package of each, which Debian and Red Hat call the same. */
const packageOf = {
  getfacl: 'acl',
  setfacl: 'acl',
  'systemd-sysusers': 'systemd',
  systemctl: 'systemd',
} as const

export type SystemProgram = keyof typeof packageOf

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface Given {
  readonly input?: string
  /** An open file, which the program has as /proc/self/fd/3. */
  readonly file?: number
}

/** Runs one to its end. Throws SR_DEPLOY_IMPOSSIBLE where it is not installed. */
export function runSystemProgram(
  program: SystemProgram,
  args: readonly string[],
  { input = '', file }: Given = {},
): Outcome {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    stdio: ['pipe', 'pipe', 'pipe', ...(file === undefined ? [] : [file])],
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C.UTF-8' },
  })
  if (error === undefined) return { status: status ?? -1, stdout, stderr }
  if (systemCode(error) !== 'ENOENT') throw error
  throw new StrongroomError(
    'SR_DEPLOY_IMPOSSIBLE',
    `the program ${program} is not on this machine; install the package ${packageOf[program]}`,
  )
}
