import type { Log } from '../keyring/log.ts'
import { Keyring } from '../keyring/keyring.ts'
import type { MasterKey } from '../keyring/master-key.ts'
import { AwsKmsMasterKey } from '../keyring/master-keys/aws-kms.ts'
import { HandedCredentials } from '../keyring/master-keys/handed-credentials.ts'
import { DirectoryStore } from '../keyring/stores/directory.ts'
import { AccessTokens } from './access-tokens.ts'
import type { AgentConfig, KeyringConfig, PluginListenerConfig, VaultListenerConfig } from './config.ts'
import { pluginGroupId } from './group-id.ts'
import { listenForOperator } from './listeners/admin.ts'
import type { OperatedKeyring } from './listeners/admin-credentials.ts'
import { PluginOptions } from './listeners/plugin-options.ts'
import { listenForPlugin } from './listeners/plugin-socket.ts'
import { VaultHandler, type VaultMount } from './listeners/vault-handler.ts'
import { listenForVaultClients } from './listeners/vault-kv.ts'
import { defaultKeySpec, defaultRequestTimeout, type MasterKeySettings } from './master-key-settings.ts'
import { UnsaidMasterKey } from './unsaid-master-key.ts'

export interface Agent {
  /**
   * Where MariaDB's plugins reach it: the URL of the Vault listener (with the keyring's name behind `/v1/` it is the
   * plugin's `vault-url`), then `unix:PATH` of each plugin socket.
   */
  readonly addresses: readonly string[]
  /**
   * Resolves once every stored key of every keyring is unwrapped, but for the keyrings whose names it gives: these wait for
   * what MariaDB's plugin will say, and MariaDB may be waiting for us.
   */
  whenReady(): Promise<readonly string[]>
  /** Reads the token files again; throws SR_TOKEN_INVALID, and then the tokens stay as they were. */
  reloadTokens(): void
  /** Ends the listeners, then zeroes the keys. */
  stop(): Promise<void>
}

/** Shows what a keyring waits for; undefined: for nothing any more. */
export type OnWaiting = (keyring: string, status: string | undefined) => void

interface OpenKeyring {
  readonly config: KeyringConfig
  readonly keys: Keyring
  readonly options: PluginOptions
  readonly handed: HandedCredentials
}

/**
 * Starts the agent. It listens at once, ready or not: what is asked for too early waits its two seconds.
 * Throws SR_TOKEN_INVALID or SR_LISTEN_FAILED; trouble with a store or the KMS ends nothing, it is waited out.
 */
export async function startAgent(
  config: AgentConfig,
  log: Log,
  onWaiting: OnWaiting = () => undefined,
): Promise<Agent> {
  const keyrings = config.keyrings.map((keyring) => openKeyring(keyring, log, onWaiting))
  const listeners: Listener[] = []
  const stop = async () => {
    await Promise.all(listeners.map((listener) => listener.close()))
    await Promise.all(keyrings.map(({ keys }) => keys.close()))
  }
  try {
    for await (const listener of openListeners(config, keyrings, log)) listeners.push(listener)
  } catch (error) {
    await stop()
    throw error
  }
  const started = Promise.all(keyrings.map(({ keys }) => keys.start()))
  return {
    addresses: listeners.flatMap(({ address }) => address ?? []),
    whenReady: async () => {
      await started
      const waiting = keyrings.filter(waitsForServer)
      const others = keyrings.filter((keyring) => !waiting.includes(keyring))
      await Promise.all(others.map(({ keys }) => keys.whenReady()))
      return waiting.map(({ keys }) => keys.name)
    },
    reloadTokens: () => {
      for (const listener of listeners) listener.reloadTokens?.()
    },
    stop,
  }
}

interface Listener {
  /** Where MariaDB reaches it. */
  readonly address?: string
  close(): Promise<void>
  reloadTokens?(): void
}

async function* openListeners(
  { vaultListener, pluginListener, adminSocket }: AgentConfig,
  keyrings: readonly OpenKeyring[],
  log: Log,
): AsyncGenerator<Listener, void> {
  if (vaultListener !== undefined) yield await openVaultListener(vaultListener, keyrings, log)
  if (pluginListener !== undefined) {
    for (const keyring of keyrings) yield await openPluginListener(pluginListener, keyring, log)
  }
  if (adminSocket !== undefined) {
    const operated = new Map(keyrings.map((keyring) => [keyring.keys.name, operatedAs(keyring)]))
    yield await listenForOperator(adminSocket, operated, log)
  }
}

function operatedAs(keyring: OpenKeyring): OperatedKeyring {
  const { keys, handed } = keyring
  return { keys, handed, waitsForServer: () => waitsForServer(keyring) }
}

/** Whether it waits for what MariaDB's plugin will say, and for nothing else. */
function waitsForServer({ keys, options }: OpenKeyring): boolean {
  return !keys.isReady && options.waits && keys.waitsForKms
}

function openKeyring(config: KeyringConfig, log: Log, onWaiting: OnWaiting): OpenKeyring {
  const handed = new HandedCredentials({ isOnlySource: config.awaitsCredentials })
  const masterKeyFor = (settings: MasterKeySettings) => masterKeyFrom(settings, config, handed)
  const keys = new Keyring({
    name: config.name,
    store: new DirectoryStore(config.storeDirectory, config.dataDirectory),
    masterKey: isKmsUnsaid(config) ? new UnsaidMasterKey() : masterKeyFor(config.masterKey),
    keySpec: config.masterKey.keySpec ?? defaultKeySpec,
    creationRule: config.creationRule,
    encryptionContext: config.encryptionContext,
    keyringId: config.keyringId,
    log,
    onWaiting: (status) => {
      onWaiting(config.name, status)
    },
  })
  const { place, masterKey: said, acceptsOptions } = config
  const options = new PluginOptions({ place, said, acceptsOptions }, log, (settings) => {
    keys.useMasterKey(masterKeyFor(settings), settings.keySpec ?? defaultKeySpec)
  })
  return { config, keys, options, handed }
}

function masterKeyFrom(
  settings: MasterKeySettings,
  { credentialsFile, profile }: KeyringConfig,
  handed: HandedCredentials,
): MasterKey {
  const { masterKeyId, region, endpointUrl, requestTimeout = defaultRequestTimeout } = settings
  const place = { masterKeyId, region, endpointUrl, requestTimeout }
  return new AwsKmsMasterKey({ ...place, credentialsFile, profile, handed })
}

/** Whether the KMS is left to MariaDB's options. */
function isKmsUnsaid({ acceptsOptions, masterKey }: KeyringConfig): boolean {
  return acceptsOptions && (masterKey.masterKeyId ?? masterKey.region ?? masterKey.endpointUrl) === undefined
}

async function openVaultListener(
  config: VaultListenerConfig,
  keyrings: readonly OpenKeyring[],
  log: Log,
): Promise<Listener> {
  const mounts = new Map<string, VaultMount>()
  for (const { config: keyring, keys } of keyrings) {
    if (keyring.tokenFile === undefined) continue
    mounts.set(keyring.name, { keys, tokens: new AccessTokens(keyring.tokenFile) })
  }
  const handler = new VaultHandler(mounts, log)
  const listener = await listenForVaultClients(config, handler)
  return {
    address: listener.url,
    close: () => listener.close(),
    reloadTokens: () => {
      for (const { tokens } of mounts.values()) tokens.reload()
      handler.forgetTold()
    },
  }
}

async function openPluginListener(
  { directory, group }: PluginListenerConfig,
  { config, keys, options: agreement }: OpenKeyring,
  log: Log,
): Promise<Listener> {
  const groupId = pluginGroupId(group, config.dataDirectory)
  const listener = await listenForPlugin({ directory, groupId }, { name: config.name, keys, agreement }, log)
  return { address: `unix:${listener.socket}`, close: () => listener.close() }
}
