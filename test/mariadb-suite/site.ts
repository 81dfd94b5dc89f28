import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'ini'
import type { KMSClient } from '@aws-sdk/client-kms'
import { z } from 'zod'
import { askAgent } from '../../src/cli/admin-client.ts'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import {
  createMasterKey,
  createUser,
  exampleAccount,
  exampleRegion,
  kmsClient,
} from '../../src/cli/demo/kms-setup.ts'
import { type ServerAccount, serverAccount } from '../../src/mariadb/account.ts'
import type { ListenerName } from '../support/each-listener.ts'
import { until } from '../support/until.ts'
import type { FileKey } from './key-file.ts'
import { KeyringDirectory } from './keyring-directory.ts'

const listedKeys = z.array(
  z.looseObject({ keyId: z.number(), version: z.number(), bitLength: z.number().optional() }),
)

/** An agent asked for it looks into its store; no test has it. */
const unusedKeyId = 4294967295

/** What a keyring begins with, and gets no more of by itself; or keys that are made when they are asked for. */
export type FirstKeys = readonly FileKey[] | 'on-demand'

/** A KMS service and an agent with keyrings of which we say every byte, in a scratch directory. */
export class Site {
  readonly directory: string
  readonly listener: ListenerName
  /** Of all keyrings: those of a run are one server's. */
  readonly token = randomBytes(32).toString('hex')
  readonly #onDemand = new Set<string>()
  readonly #keyrings = new Map<string, KeyringDirectory>()
  #kms: Daemon | undefined
  #administrator: KMSClient | undefined
  #agent: Daemon | undefined

  static async start(listener: ListenerName, keyrings: Readonly<Record<string, FirstKeys>>): Promise<Site> {
    const site = new Site(listener)
    try {
      await site.#start(keyrings)
      return site
    } catch (error) {
      await site.remove()
      throw error
    }
  }

  private constructor(listener: ListenerName) {
    this.listener = listener
    this.directory = mkdtempSync(join(tmpdir(), 'strongroom-suite-'))
    // The servers' user has to get to its own folder in it, and to the sockets.
    chmodSync(this.directory, 0o711)
  }

  /** Where the agent's Vault listener is. */
  get vaultAddress(): string {
    if (this.#agent === undefined) throw new Error('the agent has not been started')
    return this.#agent.url
  }

  /** What a server's option says to reach a keyring: the URL or the socket. */
  placeOf(keyring: string): string {
    return this.listener === 'vault'
      ? `${this.vaultAddress}/v1/${keyring}`
      : join(this.directory, 'run', keyring, 'agent.sock')
  }

  /** A folder of the servers' user. */
  folderForServers(name: string): string {
    const folder = join(this.directory, name)
    mkdirSync(folder, { mode: 0o755 })
    const { other } = serverAccount()
    if (other !== undefined) chownSync(folder, other.uid, other.gid)
    return folder
  }

  /** Another keyring, without keys, in the place of the one of that name. */
  async renewKeyring(keyring: string): Promise<void> {
    await this.#keyring(keyring).renew()
    await until(`${keyring} is empty`, async () => (await this.#keysAfterLook(keyring)).length === 0)
  }

  /** Lays the next version of a key into the store, and waits until the agent has it. */
  async addKey(keyring: string, keyId: number, bytes: Uint8Array): Promise<void> {
    const { version } = await this.#keyring(keyring).add(keyId, bytes)
    await until(`the agent has version ${version} of key ${keyId} of ${keyring}`, async () =>
      (await this.#keysAfterLook(keyring)).some(
        (key) => key.keyId === keyId && key.version === version && key.bitLength !== undefined,
      ),
    )
  }

  hasKeyring(keyring: string): boolean {
    return this.#keyrings.has(keyring)
  }

  async remove(): Promise<void> {
    await this.#agent?.stop()
    await this.#kms?.stop()
    this.#administrator?.destroy()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #start(keyrings: Readonly<Record<string, FirstKeys>>): Promise<void> {
    const data = join(this.directory, 'kms')
    const account = ['--region', exampleRegion, '--account-id', exampleAccount]
    this.#kms = await startDaemon({
      args: ['kms', '--data', data, '--listen', '127.0.0.1:0', ...account],
      directory: this.directory,
      name: 'kms',
    })
    const place = { url: this.#kms.url, credentialsFile: join(data, 'root-access-key') }
    const user = await createUser(place, 'mariadb', join(this.directory, 'credentials'))
    const masterKeyArn = await createMasterKey(place, user, 'alias/mariadb')
    this.#administrator = kmsClient(place)
    for (const [name, keys] of Object.entries(keyrings)) {
      const keyring = new KeyringDirectory(join(this.directory, `keyring-${name}`), {
        kms: this.#administrator,
        masterKeyArn,
      })
      await keyring.renew()
      if (keys === 'on-demand') this.#onDemand.add(name)
      else for (const { keyId, bytes } of keys) await keyring.add(keyId, bytes)
      this.#keyrings.set(name, keyring)
    }
    const config = this.#writeConfig({ masterKeyArn, kmsUrl: place.url, credentials: user.credentialsFile })
    this.#agent = await startDaemon({
      args: ['agent', '--config', config],
      directory: this.directory,
      name: 'agent',
    })
    const agent = this.#agent
    await until('the agent is ready', () => /^ready$/m.test(agent.log()))
  }

  #writeConfig(kms: { masterKeyArn: string; kmsUrl: string; credentials: string }): string {
    const token = join(this.directory, 'token')
    writeFileSync(token, `${this.token}\n`, { mode: 0o600 })
    const keyring = (name: string, directory: KeyringDirectory) => ({
      store: `directory:${directory.path}`,
      'master-key-id': kms.masterKeyArn,
      region: exampleRegion,
      'endpoint-url': kms.kmsUrl,
      'credentials-file': kms.credentials,
      'create-keys': this.#onDemand.has(name) ? 'on-demand' : 'off',
      ...(this.listener === 'vault' && { 'token-file': token }),
    })
    const sections = {
      agent: { 'admin-socket': join(this.directory, 'admin.sock') },
      ...this.#listenerSection(serverAccount()),
      ...Object.fromEntries(
        [...this.#keyrings].map(([name, directory]) => [`keyring ${name}`, keyring(name, directory)]),
      ),
    }
    const file = join(this.directory, 'agent.conf')
    writeFileSync(file, stringify(sections, { whitespace: true }), { mode: 0o600 })
    return file
  }

  #listenerSection({ other }: ServerAccount): object {
    if (this.listener === 'vault') return { 'vault-listener': { listen: '127.0.0.1:0' } }
    const directory = join(this.directory, 'run')
    mkdirSync(directory, { mode: 0o711 })
    return {
      'plugin-listener': { directory, ...(other !== undefined && { group: String(other.gid) }) },
    }
  }

  #keyring(name: string): KeyringDirectory {
    const keyring = this.#keyrings.get(name)
    if (keyring === undefined) throw new Error(`the agent has no keyring ${name}`)
    return keyring
  }

  /** What the agent lists once it has looked into the store, which it does for a key that it doesn't hold. */
  async #keysAfterLook(keyring: string): Promise<z.infer<typeof listedKeys>> {
    const headers = { 'X-Vault-Token': this.token }
    await (await fetch(`${this.placeOf(keyring)}/data/${unusedKeyId}`, { headers })).arrayBuffer()
    const path = `/keyrings/${keyring}/keys`
    return await askAgent(join(this.directory, 'admin.sock'), { method: 'GET', path, answer: listedKeys })
  }
}
