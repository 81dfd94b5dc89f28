import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { checkSection, invalidOption, optionalText, orIssue, readIniFile, requiredText } from '../ini-file.ts'
import { type CreationRule, parseCreationRule } from '../keyring/creation-rule.ts'
import { isLoopback, type ListenAddress, parseListenAddress } from './listen-address.ts'

export interface AgentConfig {
  readonly logLevel: string
  readonly adminSocket: string | undefined
  readonly vaultListener: VaultListenerConfig
  readonly keyrings: readonly KeyringConfig[]
}

export interface VaultListenerConfig {
  readonly address: ListenAddress
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined
}

export interface KeyringConfig {
  readonly name: string
  readonly storeDirectory: string
  /** MariaDB's; the store by default. */
  readonly dataDirectory: string
  readonly masterKeyId: string | undefined
  readonly keySpec: 'AES_128' | 'AES_256'
  readonly region: string | undefined
  readonly endpointUrl: string | undefined
  /** Milliseconds. */
  readonly requestTimeout: number
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
  readonly tokenFile: string
  readonly creationRule: CreationRule
}

/** Throws SR_CONFIG_INVALID, whose text names the file, the section and the option. */
export function readAgentConfig(file: string): AgentConfig {
  const sections = readIniFile(file)
  const folder = dirname(resolve(file))
  const agent = checkSection(agentSchema, sections.get('agent') ?? {}, { file, section: 'agent' })
  const listener = checkSection(vaultListenerSchema, sections.get('vault-listener') ?? {}, {
    file,
    section: 'vault-listener',
  })
  const keyrings = [...sections].flatMap(([section, options]) => {
    const name = /^keyring ([A-Za-z0-9_-]+)$/.exec(section)?.[1]
    if (name === undefined) {
      if (section === 'agent' || section === 'vault-listener') return []
      throw invalidOption(
        { file, section },
        'is not a section of this file: they are agent, vault-listener and keyring NAME',
      )
    }
    return [keyringFrom(name, checkSection(keyringSchema, options, { file, section }), folder)]
  })
  if (keyrings.length === 0)
    throw invalidOption({ file, section: 'keyring NAME' }, 'is missing: the agent needs at least one keyring')
  return {
    logLevel: agent['log-level'],
    adminSocket: agent['admin-socket'] && resolve(folder, agent['admin-socket']),
    vaultListener: vaultListenerFrom(listener, file, folder),
    keyrings,
  }
}

const agentSchema = z.strictObject({
  'admin-socket': optionalText,
  'log-level': z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
})

const vaultListenerSchema = z.strictObject({
  listen: z.string().default('127.0.0.1:8201').transform(orIssue(parseListenAddress)),
  'tls-certificate': optionalText,
  'tls-key': optionalText,
})

const keyringSchema = z.strictObject({
  store: requiredText.regex(/^directory:./, 'must be directory:PATH'),
  'data-directory': optionalText,
  'master-key-id': optionalText,
  'key-spec': z.enum(['AES_256', 'AES_128']).default('AES_256'),
  region: optionalText,
  'endpoint-url': optionalText.pipe(
    z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  ),
  'request-timeout': z
    .string()
    .regex(/^\d+$/, 'must be a number of milliseconds')
    .default('5000')
    .transform(Number)
    .pipe(z.int().min(100, 'must be 100 to 60000 ms').max(60_000, 'must be 100 to 60000 ms')),
  'credentials-file': optionalText,
  profile: optionalText,
  'token-file': requiredText,
  'create-keys': z.string().default('on-demand').transform(orIssue(parseCreationRule)),
})

function keyringFrom(name: string, options: z.infer<typeof keyringSchema>, folder: string): KeyringConfig {
  const storeDirectory = resolve(folder, options.store.slice('directory:'.length))
  return {
    name,
    storeDirectory,
    dataDirectory: options['data-directory'] ? resolve(folder, options['data-directory']) : storeDirectory,
    masterKeyId: options['master-key-id'],
    keySpec: options['key-spec'],
    region: options.region,
    endpointUrl: options['endpoint-url'],
    requestTimeout: options['request-timeout'],
    credentialsFile: options['credentials-file'] && resolve(folder, options['credentials-file']),
    profile: options.profile,
    tokenFile: resolve(folder, options['token-file']),
    creationRule: options['create-keys'],
  }
}

function vaultListenerFrom(
  options: z.infer<typeof vaultListenerSchema>,
  file: string,
  folder: string,
): VaultListenerConfig {
  const section = 'vault-listener'
  const { listen: address, 'tls-certificate': certificate, 'tls-key': key } = options
  if (certificate !== undefined && key !== undefined) {
    return { address, tls: { certificateFile: resolve(folder, certificate), keyFile: resolve(folder, key) } }
  }
  if (certificate !== undefined)
    throw invalidOption({ file, section }, 'tls-key: is missing beside tls-certificate')
  if (key !== undefined) throw invalidOption({ file, section }, 'tls-certificate: is missing beside tls-key')
  if (!isLoopback(address.host)) {
    throw invalidOption(
      { file, section },
      `listen: ${address.host} is not a loopback address, so tls-certificate and tls-key must be set`,
    )
  }
  return { address, tls: undefined }
}
