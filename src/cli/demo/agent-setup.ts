import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'ini'
import { exampleRegion } from './kms-setup.ts'

type Section = Readonly<Record<string, string>>

/** What the agent has to be told of how its server asks. */
export interface ListenerSetup {
  /** The section of agent.conf. */
  readonly section: Readonly<Record<string, Section>>
  /** Options of the keyring. */
  readonly keyring: Section
}

export interface AgentSetupOptions {
  /** Where agent.conf is written. */
  readonly directory: string
  readonly keyDirectory: string
  readonly masterKeyArn: string
  readonly kmsUrl: string
  readonly credentialsFile: string
  readonly listener: ListenerSetup
  /** More options of the keyring's section. */
  readonly keyring: Readonly<Record<string, string>>
  readonly logLevel: string
}

export const keyringName = 'mariadb'

/** Writes the configuration of an agent with one keyring, and returns its file. */
export function setUpAgent(options: AgentSetupOptions): string {
  const configFile = join(options.directory, 'agent.conf')
  const sections = {
    agent: { 'log-level': options.logLevel, 'admin-socket': join(options.directory, 'admin.sock') },
    ...options.listener.section,
    [`keyring ${keyringName}`]: {
      store: `directory:${options.keyDirectory}`,
      'master-key-id': options.masterKeyArn,
      region: exampleRegion,
      'endpoint-url': options.kmsUrl,
      'credentials-file': options.credentialsFile,
      ...options.listener.keyring,
      ...options.keyring,
    },
  }
  writeFileSync(configFile, stringify(sections, { whitespace: true }), { mode: 0o600 })
  return configFile
}
