export const listeners = ['vault', 'plugin'] as const
export type Listener = (typeof listeners)[number]

/** How the agent comes by its AWS credentials. */
export const credentialWays = ['file', 'encrypted', 'environment-file', 'with-mfa', 'none'] as const
export type CredentialWay = (typeof credentialWays)[number]

/** What the command line asks for; undefined: what is there already, else the default. */
export interface Wishes {
  readonly config: string
  readonly listener: Listener | undefined
  readonly keyring: string | undefined
  readonly dataDirectory: string | undefined
  /** Options of the keyring's section by their names in agent.conf. */
  readonly keyringOptions: Readonly<Record<string, string | undefined>>
  readonly credentials: CredentialWay | undefined
  /** Address and port of the Vault listener. */
  readonly listen: string | undefined
  readonly optionFile: string | undefined
  /** A folder; `keep`: the option is not ours to set. */
  readonly secureFilePriv: string | undefined
  readonly pluginFile: string | undefined
  /** The path of bin/strongroom. */
  readonly program: string | undefined
  readonly newToken: boolean
}
