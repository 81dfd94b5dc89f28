import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverAccount } from '../../mariadb/account.ts'
import type { Options } from '../../mariadb/option-file.ts'
import { makePluginFolder } from '../../mariadb/plugin-folder.ts'
import { pluginOptions } from '../../mariadb/plugin-options.ts'
import { vaultOptions } from '../../mariadb/vault-options.ts'
import { keyringName, type ListenerSetup } from './agent-setup.ts'

/** How the server of a stack asks its agent: what the options of both have to say about it. */
export type StackListener = VaultStackListener | PluginStackListener

interface Sides extends ListenerSetup {
  /** Options of the server. */
  readonly server: Options
}

export interface VaultStackListener extends Sides {
  readonly name: 'vault'
  /** With the keyring's name. */
  readonly url: string
  readonly token: string
}

export interface PluginStackListener extends Sides {
  readonly name: 'plugin'
  readonly socket: string
}

/** Through the stock hashicorp_key_management plugin, with a new access token. */
export function vaultListener(agentDirectory: string, port: number): VaultStackListener {
  const token = randomBytes(32).toString('hex')
  const tokenFile = join(agentDirectory, `${keyringName}.token`)
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  const url = `http://127.0.0.1:${port}/v1/${keyringName}`
  return {
    name: 'vault',
    section: { 'vault-listener': { listen: `127.0.0.1:${port}` } },
    keyring: { 'token-file': tokenFile },
    server: vaultOptions({ vaultUrl: url, token, cacheVersionTimeout: 0 }),
    url,
    token,
  }
}

/** Through our own plugin, whose file is given; folders for it and for the socket are made in the directory. */
export function pluginListener(directory: string, pluginFile: string): PluginStackListener {
  const folder = join(directory, 'run')
  const pluginFolder = join(directory, 'plugins')
  mkdirSync(folder, { mode: 0o711 })
  makePluginFolder(pluginFolder, pluginFile)
  const socket = join(folder, keyringName, 'agent.sock')
  return {
    name: 'plugin',
    section: { 'plugin-listener': { directory: folder, ...serverGroup() } },
    keyring: {},
    server: pluginOptions({ socket, pluginFolder }),
    socket,
  }
}

/** The keys may lie in a folder that is not of the server's group. */
function serverGroup(): { group?: string } {
  const { other } = serverAccount()
  return other === undefined ? {} : { group: String(other.gid) }
}
