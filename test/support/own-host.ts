import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { program, type Run } from './strongroom.ts'
import { until } from './until.ts'

/** Folders of this machine that a test's host has for itself: it sees what is in them, and what it writes stays its own. */
const own = ['/etc', '/var/lib', '/usr/lib/mysql/plugin']

export interface RunOptions {
  /** `USER` or `USER:GROUP`; root by default. */
  readonly as?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Why there can be no such host here; undefined: there can. */
export function noOwnHost(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make a mount namespace'
  const { status, stderr } = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' })
  return status === 0 ? undefined : `a mount namespace can't be made here: ${stderr.trim()}`
}

/**
 * A host with the machine's programs and a file system of its own in what it writes to, by a mount namespace: so that a command that
 * changes /etc can be run as it is.
 */
export class OwnHost {
  readonly #pid: number
  readonly #keeper: ChildProcess

  /** `directory` takes what the host writes; an empty MariaDB data directory is in it. */
  static async start(directory: string): Promise<OwnHost> {
    const mounts = own.map((folder) => {
      const [upper, work] = ['upper', 'work'].map((part) => join(directory, part, folder))
      for (const made of [upper, work]) mkdirSync(made ?? '', { recursive: true })
      return `mount -t overlay overlay -o lowerdir=${folder},upperdir=${upper ?? ''},workdir=${work ?? ''} ${folder}`
    })
    const data = join(directory, 'data')
    mkdirSync(data)
    const script = [
      'set -e',
      ...mounts,
      `chown mysql:mysql ${data}`,
      `mount --bind ${data} /var/lib/mysql`,
      'mount -t tmpfs tmpfs /run',
      'install -d -m 755 -o mysql -g mysql /run/mysqld',
      'echo made',
      'exec sleep infinity',
    ].join('\n')
    const keeper = spawn(
      'setpriv',
      ['--pdeathsig=KILL', 'unshare', '--mount', '--propagation=private', 'sh', '-c', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let said = ''
    keeper.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await until('the host is made', () => said === 'made\n' || keeper.exitCode !== null)
    if (keeper.pid === undefined || keeper.exitCode !== null) throw new Error('the host was not made')
    return new OwnHost(keeper, keeper.pid)
  }

  private constructor(keeper: ChildProcess, pid: number) {
    this.#keeper = keeper
    this.#pid = pid
  }

  /** A command that runs another one there. */
  command(command: readonly string[], { as = 'root' }: RunOptions = {}): string[] {
    const [user = '', group = user] = as.split(':')
    const account =
      as === 'root'
        ? []
        : [`--reuid=${user}`, `--regid=${group}`, as.includes(':') ? '--clear-groups' : '--init-groups']
    return [
      'nsenter',
      `--mount=/proc/${this.#pid}/ns/mnt`,
      'setpriv',
      ...account,
      '--pdeathsig=KILL',
      ...command,
    ]
  }

  run(command: readonly string[], options: RunOptions = {}): Run {
    const [file = '', ...args] = this.command(command, options)
    const { status, stdout, stderr } = spawnSync(file, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      timeout: 120_000,
      maxBuffer: 16 * 1024 * 1024,
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', ...options.environment },
    })
    return { code: status ?? -1, stdout, stderr }
  }

  /** The output of a command that must succeed. */
  do(script: string, options: RunOptions = {}): string {
    const { code, stdout, stderr } = this.run(['bash', '-euc', script], options)
    if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`)
    return stdout
  }

  strongroom(args: readonly string[], options: RunOptions = {}): Run {
    return this.run([program, ...args], options)
  }

  async end(): Promise<void> {
    const ended = once(this.#keeper, 'exit')
    this.#keeper.kill('SIGKILL')
    await ended
  }
}
