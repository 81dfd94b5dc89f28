import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Run } from '../strongroom.ts'
import { until } from '../until.ts'
import { containerCommand } from './container.ts'

/** With which systemd-nspawn ends, where it makes no unit, when the machine asks to be started again (systemd-nspawn(1)). */
const startAgain = 133

/** Milliseconds. */
const commandEndsWithin = 60_000

const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8']

/** A system that boots, with systemd as its first process, in a container on this host's network. */
export class Machine {
  readonly tree: string
  readonly #consoleFile: string
  #container: ChildProcess | undefined
  #ended: Promise<number | null> = Promise.resolve(0)
  #firstProcess = 0

  /** Boots the tree. What it writes to its console is kept in the file. */
  static async boot(tree: string, consoleFile: string): Promise<Machine> {
    const machine = new Machine(tree, consoleFile)
    await machine.#boot()
    return machine
  }

  private constructor(tree: string, consoleFile: string) {
    this.tree = tree
    this.#consoleFile = consoleFile
  }

  /** Runs a line of shell as root, and returns what it wrote to stdout; throws where it fails. */
  async run(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(command)
    if (code !== 0) throw new Error(`${command}\nfailed in the machine (${code}):\n${stdout}${stderr}`)
    return stdout.trimEnd()
  }

  async try(command: string): Promise<Run> {
    const inside = ['--target', String(this.#firstProcess), '--all', 'env', '-i', ...environment]
    return await new Promise((resolve) => {
      execFile(
        'nsenter',
        [...inside, 'sh', '-c', command],
        { maxBuffer: 64 * 1024 * 1024, timeout: commandEndsWithin },
        (error, stdout, stderr) => {
          const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
          resolve({ code, stdout, stderr })
        },
      )
    })
  }

  /** What `systemctl show` says. */
  async property(unit: string, name: string): Promise<string> {
    return await this.run(`systemctl show --property=${name} --value ${unit}`)
  }

  async isActive(unit: string): Promise<boolean> {
    return (await this.property(unit, 'ActiveState')) === 'active'
  }

  /** As its administrator would. */
  async reboot(): Promise<void> {
    await this.run('systemctl reboot')
    const code = await this.#ended
    if (code !== startAgain)
      throw new Error(`the machine ended with ${code ?? 'a signal'} and not to be started again`)
    await this.#boot()
  }

  /** Shuts it down, or, where that takes more than half a minute, ends it. */
  async stop(): Promise<void> {
    if (this.#isRunning) await this.try('systemctl poweroff')
    const late = setTimeout(() => this.#container?.kill('SIGKILL'), 30_000)
    await this.#ended
    clearTimeout(late)
  }

  console(): string {
    return readFileSync(this.#consoleFile, 'utf8')
  }

  get #name(): string {
    return basename(join(this.tree, '..'))
  }

  get #isRunning(): boolean {
    return this.#container?.exitCode === null && this.#container.signalCode === null
  }

  async #boot(): Promise<void> {
    const log = openSync(this.#consoleFile, 'a')
    const options = ['--boot', `--directory=${this.tree}`, '--console=read-only']
    const [command, args] = containerCommand(this.#name, options)
    const container = spawn(command, args, { stdio: ['ignore', log, log] })
    closeSync(log)
    this.#container = container
    this.#ended = new Promise((resolve) => {
      container.once('exit', resolve)
      container.once('error', () => {
        resolve(null)
      })
    })
    await until('the machine has a first process', () => this.#findFirstProcess())
    await until('the machine has booted', () => this.#hasBooted())
  }

  #findFirstProcess(): boolean {
    this.#requireRunning()
    const found = descendantsOf(this.#container?.pid ?? 0).find((pid) =>
      /^systemd\n$/.test(read(pid, 'comm')),
    )
    this.#firstProcess = found ?? 0
    return found !== undefined
  }

  /** Services may still be starting: some wait for what a test will do. */
  async #hasBooted(): Promise<boolean> {
    this.#requireRunning()
    return (await this.try('systemctl is-active basic.target')).code === 0
  }

  #requireRunning(): void {
    if (!this.#isRunning) throw new Error(`the machine did not boot; its console:\n${this.console()}`)
  }
}

function descendantsOf(pid: number): number[] {
  const children = read(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return [...children, ...children.flatMap(descendantsOf)]
}

/** Empty where there is no such process any more. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
