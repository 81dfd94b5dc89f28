import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { type PreparedServer, prepareServer, type RunningServer } from '../../mariadb/server.ts'
import { setUpAgent } from './agent-setup.ts'
import { type Daemon, type DaemonOptions, startDaemon } from './daemon.ts'
import { freePort } from './free-port.ts'
import {
  createMasterKey,
  createUser,
  exampleAccount,
  exampleRegion,
  type KmsPlace,
  type KmsUser,
} from './kms-setup.ts'
import { pluginListener, type StackListener, vaultListener } from './stack-listener.ts'

const masterKeyAlias = 'alias/mariadb'

export interface StackOptions {
  /** The server asks through our own plugin, whose file this is; else through the stock Vault plugin. */
  readonly plugin?: string
  readonly logLevel?: string
  /** More options of the agent's keyring section. */
  readonly keyring?: Readonly<Record<string, string>>
  /** More options of the server, or other values. */
  readonly server?: Readonly<Record<string, string | true>>
  readonly port?: number
  /** The keys lie in a folder of their own, not in the data directory. */
  readonly keysBeside?: boolean
  /** A command that runs the agent, such as one that takes rights away. */
  readonly agentWrapper?: readonly string[]
  /** Our end does not end the server. */
  readonly outlivesUs?: boolean
}

/**
 * A KMS service, an agent and a MariaDB server in a scratch directory, each a process of its own that can be ended
 * and started again in its place.
 */
export class Stack {
  readonly directory: string
  readonly #options: StackOptions
  readonly #kmsPort: number
  readonly #agentPort: number
  #kms: Daemon | undefined
  #agent: Daemon | undefined
  #server: RunningServer | undefined
  #prepared: PreparedServer | undefined
  #agentConfig: string | undefined
  #listener: StackListener | undefined
  #masterKeyArn: string | undefined
  #user: KmsUser | undefined
  readonly #beginning = new Set<Promise<void>>()
  #ended = false

  static async create(options: StackOptions = {}): Promise<Stack> {
    return new Stack(options, await freePort(), await freePort())
  }

  private constructor(options: StackOptions, kmsPort: number, agentPort: number) {
    this.#options = options
    this.#kmsPort = kmsPort
    this.#agentPort = agentPort
    this.directory = mkdtempSync(join(tmpdir(), 'strongroom-'))
    // The server's user has to get to its own folder in it.
    chmodSync(this.directory, 0o711)
    mkdirSync(this.agentDirectory, { mode: 0o700 })
    if (options.keysBeside === true) mkdirSync(this.keyDirectory, { mode: 0o700 })
  }

  get kmsDirectory(): string {
    return join(this.directory, 'kms')
  }

  get agentDirectory(): string {
    return join(this.directory, 'agent')
  }

  get dataDirectory(): string {
    return join(this.directory, 'server', 'data')
  }

  get keyDirectory(): string {
    return this.#options.keysBeside === true ? join(this.directory, 'keys') : this.dataDirectory
  }

  get kms(): Daemon {
    return started(this.#kms, 'the KMS service')
  }

  get agent(): Daemon {
    return started(this.#agent, 'the agent')
  }

  get server(): RunningServer {
    return started(this.#server, 'the server')
  }

  get prepared(): PreparedServer {
    return started(this.#prepared, 'the data directory')
  }

  get masterKeyArn(): string {
    return started(this.#masterKeyArn, 'the master key')
  }

  get user(): KmsUser {
    return started(this.#user, 'the user')
  }

  get listener(): StackListener {
    return started(this.#listener, 'the agent')
  }

  /** The account's root, who administers. */
  get administrator(): KmsPlace {
    return { url: this.kms.url, credentialsFile: join(this.kmsDirectory, 'root-access-key') }
  }

  async startKms(options: Pick<DaemonOptions, 'environment'> = {}): Promise<void> {
    const place = ['--data', this.kmsDirectory, '--listen', `127.0.0.1:${this.#kmsPort}`]
    const account = ['--region', exampleRegion, '--account-id', exampleAccount]
    const logging = ['--log-level', this.#options.logLevel ?? 'info']
    await this.#begin(async () => {
      const args = ['kms', ...place, ...account, ...logging]
      this.#kms = await startDaemon({ args, directory: this.directory, name: 'kms', ...options })
    })
  }

  async makeMasterKey(): Promise<void> {
    this.#user = await createUser(this.administrator, 'mariadb', join(this.agentDirectory, 'credentials'))
    this.#masterKeyArn = await createMasterKey(this.administrator, this.#user, masterKeyAlias)
  }

  /** Makes the folders that agent and server share, and writes the options of both. */
  async prepare(): Promise<void> {
    const { plugin } = this.#options
    this.#listener =
      plugin === undefined
        ? vaultListener(this.agentDirectory, this.#agentPort)
        : pluginListener(this.directory, plugin)
    this.#agentConfig = setUpAgent({
      directory: this.agentDirectory,
      keyDirectory: this.keyDirectory,
      masterKeyArn: this.masterKeyArn,
      kmsUrl: this.kms.url,
      credentialsFile: this.user.credentialsFile,
      listener: this.#listener,
      keyring: this.#options.keyring ?? {},
      logLevel: this.#options.logLevel ?? 'info',
    })
    this.#prepared = await prepareServer({
      directory: join(this.directory, 'server'),
      options: {
        ...this.#listener.server,
        'log-bin': 'binlog',
        ...this.#options.server,
      },
      ...(this.#options.port === undefined ? {} : { port: this.#options.port }),
      outlivesUs: this.#options.outlivesUs ?? false,
    })
  }

  async startAgent(options: Pick<DaemonOptions, 'environment'> = {}): Promise<void> {
    const configFile = started(this.#agentConfig, 'the agent')
    await this.#begin(async () => {
      this.#agent = await startDaemon({
        args: ['agent', '--config', configFile],
        directory: this.directory,
        name: 'agent',
        wrapper: this.#options.agentWrapper ?? [],
        ...options,
      })
    })
  }

  async initialise(): Promise<void> {
    await this.#begin(() => this.prepared.initialise())
  }

  async startServer(): Promise<RunningServer> {
    await this.#begin(async () => {
      this.#server = await this.prepared.start()
    })
    return this.server
  }

  async stopServer(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  /** Ends every process and removes every file; what is just being started is waited for, and nothing more is begun. */
  async remove(): Promise<void> {
    this.#ended = true
    await Promise.allSettled(this.#beginning)
    await this.#server?.stop()
    await this.#agent?.stop()
    await this.#kms?.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #begin(start: () => Promise<void>): Promise<void> {
    if (this.#ended) throw new StrongroomError('SR_DEMO_FAILED', 'the demo was ended')
    const begun = start()
    this.#beginning.add(begun)
    try {
      await begun
    } finally {
      this.#beginning.delete(begun)
    }
  }
}

function started<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new StrongroomError('SR_DEMO_FAILED', `${what} has not been set up yet`)
  return part
}
