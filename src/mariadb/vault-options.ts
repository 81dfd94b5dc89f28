import { encryptEverything } from './encryption-options.ts'
import type { Options } from './option-file.ts'

export interface VaultKeySource {
  /** Where the agent's Vault listener serves this keyring, such as http://127.0.0.1:8201/v1/mariadb */
  readonly vaultUrl: string
  readonly token: string
  /** Milliseconds until the plugin asks again whether a key has a new version; its own default is 60000. */
  readonly cacheVersionTimeout?: number
}

/**
 * The options under which a MariaDB server takes its keys from the stock hashicorp_key_management plugin and encrypts
 * everything that it can. They hold the access token, so they belong in an option file that others can't read, and never
 * in process arguments.
 */
export function vaultOptions(source: VaultKeySource): Options {
  return {
    'plugin-load-add': 'hashicorp_key_management.so',
    // Without FORCE the server would start without its keys, and with every encrypted table broken.
    'hashicorp-key-management': 'FORCE_PLUS_PERMANENT',
    'hashicorp-key-management-vault-url': source.vaultUrl,
    'hashicorp-key-management-token': source.token,
    ...(source.cacheVersionTimeout !== undefined && {
      'hashicorp-key-management-cache-version-timeout': String(source.cacheVersionTimeout),
    }),
    ...encryptEverything,
  }
}
