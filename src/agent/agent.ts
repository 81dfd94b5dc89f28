import type { Log } from '../keyring/log.ts'
import { Keyring } from '../keyring/keyring.ts'
import { AwsKmsMasterKey } from '../keyring/master-keys/aws-kms.ts'
import { DirectoryStore } from '../keyring/stores/directory.ts'
import { AccessTokens } from './access-tokens.ts'
import type { AgentConfig, KeyringConfig } from './config.ts'
import { listenForOperator } from './listeners/admin.ts'
import { VaultHandler, type VaultMount } from './listeners/vault-handler.ts'
import { listenForVaultClients } from './listeners/vault-kv.ts'

export interface Agent {
  /** Of the Vault listener: with the keyring's name behind `/v1/` it is the plugin's `vault-url`. */
  readonly vaultUrl: string
  /** Resolves once every stored key of every keyring is unwrapped. */
  whenReady(): Promise<void>
  /** Reads the token files again; throws SR_TOKEN_INVALID, and then the tokens stay as they were. */
  reloadTokens(): void
  /** Ends the listeners, then zeroes the keys. */
  stop(): Promise<void>
}

/**
 * Starts the agent. It listens at once, ready or not: what is asked for too early waits its two seconds.
 * Throws SR_TOKEN_INVALID or SR_LISTEN_FAILED; trouble with a store or the KMS ends nothing, it is waited out.
 */
export async function startAgent(config: AgentConfig, log: Log): Promise<Agent> {
  const mounts = new Map<string, VaultMount>()
  const keyrings = new Map<string, Keyring>()
  for (const keyring of config.keyrings) {
    const tokens = new AccessTokens(keyring.tokenFile)
    const keys = openKeyring(keyring, log)
    keyrings.set(keyring.name, keys)
    mounts.set(keyring.name, { keys, tokens })
  }
  const handler = new VaultHandler(mounts, log)
  const vault = await listenForVaultClients(config.vaultListener, handler)
  const { adminSocket } = config
  const admin = adminSocket === undefined ? undefined : await listenForOperator(adminSocket, keyrings, log)
  const started = Promise.all([...keyrings.values()].map((keyring) => keyring.start()))
  return {
    vaultUrl: vault.url,
    whenReady: async () => {
      await started
      await Promise.all([...keyrings.values()].map((keyring) => keyring.whenReady()))
    },
    reloadTokens: () => {
      for (const { tokens } of mounts.values()) tokens.reload()
      handler.forgetTold()
    },
    stop: async () => {
      await Promise.all([vault.close(), admin?.close()])
      await Promise.all([...keyrings.values()].map((keyring) => keyring.close()))
    },
  }
}

function openKeyring(config: KeyringConfig, log: Log): Keyring {
  return new Keyring({
    name: config.name,
    store: new DirectoryStore(config.storeDirectory, config.dataDirectory),
    masterKey: new AwsKmsMasterKey(config),
    keySpec: config.keySpec,
    creationRule: config.creationRule,
    log,
  })
}
