import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRelay } from './relay.ts'
import { until } from './until.ts'

/** Why there can be no such namespace here; false: there can. */
export function noNetworkNamespace(): false | string {
  if (process.getuid?.() !== 0) return 'only root can make a network namespace'
  const { status, stderr } = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8' })
  return status === 0 ? false : `a network namespace can't be made here: ${stderr.trim()}`
}

/** A network with nothing but a loopback interface: whatever else a process in it tries to reach, the kernel counts. */
export class LoopbackNamespace {
  readonly #keeper: ChildProcess
  readonly #pid: number
  readonly #ends: (() => Promise<void>)[] = []

  static async start(): Promise<LoopbackNamespace> {
    const script = 'ip link set lo up && echo up && exec sleep infinity'
    const keeper = spawn('setpriv', ['--pdeathsig=KILL', 'unshare', '--net', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    keeper.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await until('the namespace is made', () => said === 'up\n' || keeper.exitCode !== null)
    if (keeper.pid === undefined || keeper.exitCode !== null) throw new Error('the namespace was not made')
    return new LoopbackNamespace(keeper, keeper.pid)
  }

  private constructor(keeper: ChildProcess, pid: number) {
    this.#keeper = keeper
    this.#pid = pid
  }

  /** A command that runs another one there. */
  command(command: readonly string[]): string[] {
    return ['nsenter', `--net=/proc/${this.#pid}/ns/net`, ...command]
  }

  /** How often something in there tried to reach an address beside loopback (ip_route_output(9) had no route), so far. */
  get attemptsElsewhere(): number {
    const version4 = readFileSync(`/proc/${this.#pid}/net/snmp`, 'utf8')
    const [names = [], values = []] = version4
      .split('\n')
      .filter((line) => line.startsWith('Ip:'))
      .map((line) => line.split(' '))
    const version6 = /^Ip6OutNoRoutes\s+(\d+)$/m.exec(
      readFileSync(`/proc/${this.#pid}/net/snmp6`, 'utf8'),
    )?.[1]
    return Number(values[names.indexOf('OutNoRoutes')]) + Number(version6)
  }

  /** Makes 127.0.0.1:PORT of the namespace lead to the same address outside, by way of a unix socket. */
  async forward(port: number, socket: string): Promise<void> {
    const outside = await startRelay(socket, port)
    this.#ends.push(() => outside.end())
    const relay = join(import.meta.dirname, 'relay.ts')
    const flags = ['--disable-warning=ExperimentalWarning', relay, String(port), socket]
    const [file = '', ...args] = this.command([process.execPath, ...flags])
    const inside = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(inside, 'exit')
    this.#ends.push(async () => {
      inside.kill('SIGKILL')
      await ended
    })
    await once(inside.stdout, 'data')
  }

  async end(): Promise<void> {
    for (const end of this.#ends) await end()
    const ended = once(this.#keeper, 'exit')
    this.#keeper.kill('SIGKILL')
    await ended
  }
}
