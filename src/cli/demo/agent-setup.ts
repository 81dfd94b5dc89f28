import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'ini'
import { exampleRegion } from './kms-setup.ts'

export interface AgentSetup {
  readonly configFile: string
  readonly token: string
}

export interface AgentSetupOptions {
  /** Where agent.conf and the token are written. */
  readonly directory: string
  readonly keyDirectory: string
  readonly masterKeyArn: string
  readonly kmsUrl: string
  readonly credentialsFile: string
  readonly port: number
  /** More options of the keyring's section. */
  readonly keyring: Readonly<Record<string, string>>
  readonly logLevel: string
}

export const keyringName = 'mariadb'

/** Writes the configuration of an agent with one keyring, and a new access token. */
export function setUpAgent(options: AgentSetupOptions): AgentSetup {
  const token = randomBytes(32).toString('hex')
  const tokenFile = join(options.directory, `${keyringName}.token`)
  const configFile = join(options.directory, 'agent.conf')
  const sections = {
    agent: { 'log-level': options.logLevel, 'admin-socket': join(options.directory, 'admin.sock') },
    'vault-listener': { listen: `127.0.0.1:${options.port}` },
    [`keyring ${keyringName}`]: {
      store: `directory:${options.keyDirectory}`,
      'master-key-id': options.masterKeyArn,
      region: exampleRegion,
      'endpoint-url': options.kmsUrl,
      'credentials-file': options.credentialsFile,
      'token-file': tokenFile,
      ...options.keyring,
    },
  }
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  writeFileSync(configFile, stringify(sections, { whitespace: true }), { mode: 0o600 })
  return { configFile, token }
}
