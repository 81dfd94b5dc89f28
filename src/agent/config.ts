import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import {
  checkSection,
  invalidOption,
  optionalText,
  type Options,
  orIssue,
  type Place,
  readIniFile,
  requiredText,
} from '../ini-file.ts'
import { type CreationRule, parseCreationRule } from '../keyring/creation-rule.ts'
import { keyringIdForm, type Manifest } from '../keyring/manifest.ts'
import { isLoopback } from '../loopback.ts'
import { type ListenAddress, parseListenAddress } from './listen-address.ts'
import { masterKeyFields, type MasterKeySettings, settingsFrom } from './master-key-settings.ts'

export interface AgentConfig {
  readonly logLevel: string
  readonly adminSocket: string | undefined
  /** undefined: there is none. */
  readonly vaultListener: VaultListenerConfig | undefined
  readonly pluginListener: PluginListenerConfig | undefined
  readonly keyrings: readonly KeyringConfig[]
}

export interface VaultListenerConfig {
  readonly address: ListenAddress
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined
}

export interface PluginListenerConfig {
  /** Must be there; the agent makes a folder in it for each keyring. */
  readonly directory: string
  /** A name or a number; undefined: the group of the keyring's data directory. */
  readonly group: string | undefined
}

export interface KeyringConfig {
  readonly name: string
  readonly place: Place
  readonly storeDirectory: string
  /** MariaDB's; the store by default. */
  readonly dataDirectory: string
  /** As far as they were said. */
  readonly masterKey: MasterKeySettings
  /** What is not said here is taken from the options of MariaDB's plugin. */
  readonly acceptsOptions: boolean
  /** Of a new keyring's keys; undefined: not said. */
  readonly encryptionContext: Manifest['encryptionContext'] | undefined
  /** That the manifest must have, and a new one gets; undefined: not said. */
  readonly keyringId: string | undefined
  /** Whether no credentials are used but those that `strongroom with-mfa` hands over. */
  readonly awaitsCredentials: boolean
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
  /** There is one where there is a Vault listener. */
  readonly tokenFile: string | undefined
  readonly creationRule: CreationRule
}

/** Throws SR_CONFIG_INVALID, whose text names the file, the section and the option. */
export function readAgentConfig(file: string): AgentConfig {
  return agentConfigFrom(readIniFile(file), file)
}

/** The same of sections that were read already, or that are yet to be written to the file. */
export function agentConfigFrom(sections: ReadonlyMap<string, Options>, file: string): AgentConfig {
  const folder = dirname(resolve(file))
  const read = <T>(schema: z.ZodType<T>, section: string) =>
    checkSection(schema, sections.get(section) ?? {}, { file, section })
  const agent = read(agentSchema, 'agent')
  const vault = read(vaultListenerSchema, 'vault-listener')
  const plugin = read(pluginListenerSchema, 'plugin-listener')
  const hasPlugin = sections.has('plugin-listener')
  const hasVault = sections.has('vault-listener') || !hasPlugin
  const listeners = { hasVault, hasPlugin, hasAdmin: agent['admin-socket'] !== undefined }
  const keyrings = [...sections].flatMap(([section, options]) => {
    const name = /^keyring ([A-Za-z0-9_-]+)$/.exec(section)?.[1]
    if (name !== undefined)
      return [keyringFrom(name, options, { place: { file, section }, folder, ...listeners })]
    if (['agent', 'vault-listener', 'plugin-listener'].includes(section)) return []
    throw invalidOption(
      { file, section },
      'is not a section of this file: they are agent, vault-listener, plugin-listener and keyring NAME',
    )
  })
  if (keyrings.length === 0)
    throw invalidOption({ file, section: 'keyring NAME' }, 'is missing: the agent needs at least one keyring')
  return {
    logLevel: agent['log-level'],
    adminSocket: agent['admin-socket'] && resolve(folder, agent['admin-socket']),
    vaultListener: hasVault ? vaultListenerFrom(vault, file, folder) : undefined,
    pluginListener: hasPlugin
      ? { directory: resolve(folder, plugin.directory), group: plugin.group }
      : undefined,
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

const pluginListenerSchema = z.strictObject({
  directory: requiredText.default('/run/strongroom'),
  group: optionalText,
})

const keyringSchema = z.strictObject({
  store: requiredText.regex(/^directory:./, 'must be directory:PATH'),
  'data-directory': optionalText,
  ...masterKeyFields,
  'accept-options-from': z.enum(['none', 'plugin']).default('none'),
  'encryption-context': z.enum(['bound', 'none']).optional(),
  'keyring-id': optionalText.pipe(
    z.string().regex(keyringIdForm, 'must be 32 hex digits, in lower case').optional(),
  ),
  credentials: z.enum(['standard', 'with-mfa']).default('standard'),
  'credentials-file': optionalText,
  profile: optionalText,
  'token-file': z.string().optional(),
  'create-keys': z.string().default('on-demand').transform(orIssue(parseCreationRule)),
})

/** By section, for the test that holds docs/configuration.md to them. */
export const agentOptionNames = {
  agent: Object.keys(agentSchema.shape),
  'vault-listener': Object.keys(vaultListenerSchema.shape),
  'plugin-listener': Object.keys(pluginListenerSchema.shape),
  'keyring NAME': Object.keys(keyringSchema.shape),
}

interface Where {
  readonly place: Place
  readonly folder: string
  /** Whether there are such listeners. */
  readonly hasVault: boolean
  readonly hasPlugin: boolean
  readonly hasAdmin: boolean
}

function keyringFrom(
  name: string,
  text: Options,
  { place, folder, hasVault, hasPlugin, hasAdmin }: Where,
): KeyringConfig {
  const options = checkSection(keyringSchema, text, place)
  const storeDirectory = resolve(folder, options.store.slice('directory:'.length))
  const token = options['token-file']
  if (hasVault && (token === undefined || token === '')) {
    throw invalidOption(place, `token-file: is ${token === '' ? 'empty' : 'missing'}`)
  }
  const acceptsOptions = options['accept-options-from'] === 'plugin'
  if (acceptsOptions && !hasPlugin) {
    throw invalidOption(
      place,
      'accept-options-from: there is no [plugin-listener] at which the options could come',
    )
  }
  const awaitsCredentials = options.credentials === 'with-mfa'
  if (awaitsCredentials) requireNoOtherSource(options, place)
  if (awaitsCredentials && !hasAdmin)
    throw invalidOption(
      place,
      'credentials: with-mfa hands them over at [agent] admin-socket, which is not set',
    )
  return {
    name,
    place,
    storeDirectory,
    dataDirectory: options['data-directory'] ? resolve(folder, options['data-directory']) : storeDirectory,
    masterKey: settingsFrom(options),
    acceptsOptions,
    encryptionContext: options['encryption-context'],
    keyringId: options['keyring-id'],
    awaitsCredentials,
    credentialsFile: options['credentials-file'] && resolve(folder, options['credentials-file']),
    profile: options.profile,
    tokenFile: token ? resolve(folder, token) : undefined,
    creationRule: options['create-keys'],
  }
}

/** Who reads such a file would take it for the place where the credentials come from. */
function requireNoOtherSource(options: z.infer<typeof keyringSchema>, place: Place): void {
  for (const name of ['credentials-file', 'profile'] as const) {
    if (options[name] !== undefined)
      throw invalidOption(place, `${name}: with credentials = with-mfa nothing is read from there; remove it`)
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
