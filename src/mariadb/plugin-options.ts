import { encryptEverything } from './encryption-options.ts'
import type { Options } from './option-file.ts'

export interface PluginKeySource {
  /** At which the agent's plugin listener serves this keyring, such as /run/strongroom/mariadb/agent.sock */
  readonly socket: string
  /** In which the server finds its plugins, if that is not its own folder. */
  readonly pluginFolder?: string
}

/**
 * The options under which a MariaDB server takes its keys from our aws_key_management plugin and encrypts everything that it
 * can. They hold no secret: who may connect to the socket may have the keys.
 */
export function pluginOptions({ socket, pluginFolder }: PluginKeySource): Options {
  return {
    ...(pluginFolder !== undefined && { 'plugin-dir': pluginFolder }),
    'plugin-load-add': 'aws_key_management.so',
    // Without FORCE the server would start without its keys, and with every encrypted table broken.
    'aws-key-management': 'FORCE_PLUS_PERMANENT',
    'aws-key-management-socket': socket,
    ...encryptEverything,
  }
}
