import { join } from 'node:path'
import { type Options, renderOptionFile } from '../mariadb/option-file.ts'
import { pluginOptions } from '../mariadb/plugin-options.ts'
import { vaultOptions } from '../mariadb/vault-options.ts'
import { ownMark } from './places.ts'
import type { Settings } from './settings.ts'

const heading = `# Written by \`${ownMark}\`, which writes the same again: options of your own belong into another file.\n`
const tokenHeading = "# The token opens the keyring. Root and MariaDB's group alone may read this file.\n"

/** The option file of the server. Its group is read by mariadbd, mariadb-backup and mariadb-install-db, and by no client. */
export function serverOptionFile(settings: Settings, token: string | undefined): string {
  const tokenNote = settings.listener === 'vault' ? tokenHeading : ''
  return `${heading}${tokenNote}${renderOptionFile({ mariadb: serverOptions(settings, token) })}`
}

/** What is in it, in the same order. */
export function serverOptions(settings: Settings, token: string | undefined): Options {
  const { listener, listen, hasTls, keyring, socketDirectory, secureFilePriv } = settings
  const scheme = hasTls ? 'https' : 'http'
  const options =
    listener === 'vault'
      ? vaultOptions({ vaultUrl: `${scheme}://${listen}/v1/${keyring}`, token: token ?? '' })
      : pluginOptions({ socket: join(socketDirectory, keyring, 'agent.sock') })
  const left = Object.entries(options).filter(([name]) => !settings.leftOptions.includes(name))
  return {
    ...Object.fromEntries(left),
    // Else whoever has the FILE privilege reads what the server's user may read: this file and its token.
    ...(secureFilePriv !== undefined && { 'secure-file-priv': secureFilePriv }),
  }
}
