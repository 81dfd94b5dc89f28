import { parse } from 'ini'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { messageOf, StrongroomError, systemCode } from '../errors.ts'
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
  const sections = parseSections(readText(file), file)
  const folder = dirname(resolve(file))
  const agent = checked(agentSchema, sections.get('agent') ?? {}, file, 'agent')
  const listener = checked(vaultListenerSchema, sections.get('vault-listener') ?? {}, file, 'vault-listener')
  const keyrings = [...sections].flatMap(([section, options]) => {
    const name = /^keyring ([A-Za-z0-9_-]+)$/.exec(section)?.[1]
    if (name === undefined) {
      if (section === 'agent' || section === 'vault-listener') return []
      throw invalid(
        file,
        section,
        'is not a section of this file: they are agent, vault-listener and keyring NAME',
      )
    }
    return [keyringFrom(name, checked(keyringSchema, options, file, section), folder)]
  })
  if (keyrings.length === 0)
    throw invalid(file, 'keyring NAME', 'is missing: the agent needs at least one keyring')
  return {
    logLevel: agent['log-level'],
    adminSocket: agent['admin-socket'] && resolve(folder, agent['admin-socket']),
    vaultListener: vaultListenerFrom(listener, file, folder),
    keyrings,
  }
}

/** An option that is there but empty counts as not set. */
const optional = z
  .string()
  .transform((value) => (value === '' ? undefined : value))
  .optional()
const required = z.string('is missing').min(1, 'is empty')

const agentSchema = z.strictObject({
  'admin-socket': optional,
  'log-level': z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
})

const vaultListenerSchema = z.strictObject({
  listen: z.string().default('127.0.0.1:8201').transform(orIssue(parseListenAddress)),
  'tls-certificate': optional,
  'tls-key': optional,
})

const keyringSchema = z.strictObject({
  store: required.regex(/^directory:./, 'must be directory:PATH'),
  'data-directory': optional,
  'master-key-id': optional,
  'key-spec': z.enum(['AES_256', 'AES_128']).default('AES_256'),
  region: optional,
  'endpoint-url': optional.pipe(
    z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  ),
  'request-timeout': z
    .string()
    .regex(/^\d+$/, 'must be a number of milliseconds')
    .default('5000')
    .transform(Number)
    .pipe(z.int().min(100, 'must be 100 to 60000 ms').max(60_000, 'must be 100 to 60000 ms')),
  'credentials-file': optional,
  profile: optional,
  'token-file': required,
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
  if (certificate !== undefined) throw invalid(file, section, 'tls-key: is missing beside tls-certificate')
  if (key !== undefined) throw invalid(file, section, 'tls-certificate: is missing beside tls-key')
  if (!isLoopback(address.host)) {
    throw invalid(
      file,
      section,
      `listen: ${address.host} is not a loopback address, so tls-certificate and tls-key must be set`,
    )
  }
  return { address, tls: undefined }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StrongroomError(
      'SR_CONFIG_INVALID',
      `cannot read the configuration ${file} (${systemCode(error) ?? messageOf(error)})`,
      { cause: error },
    )
  }
}

type Options = Record<string, unknown>

function parseSections(text: string, file: string): Map<string, Options> {
  const sections = new Map<string, Options>()
  for (const [section, options] of Object.entries(parse(text))) {
    const known: unknown = options
    if (typeof known !== 'object' || known === null) {
      throw new StrongroomError('SR_CONFIG_INVALID', `${file}: option ${section}: stands outside any section`)
    }
    sections.set(
      section,
      Object.fromEntries(Object.entries(known).map(([name, value]) => [name, asText(value)])),
    )
  }
  return sections
}

/** The parser makes `true`, `false` and `null` of those words; here every option is text. */
function asText(value: unknown): unknown {
  return typeof value === 'boolean' || value === null ? String(value) : value
}

function checked<T>(schema: z.ZodType<T>, options: Options, file: string, section: string): T {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === 'unrecognized_keys') {
    throw invalid(file, section, `${issue.keys.join(', ')}: is no option of this section`)
  }
  throw invalid(file, section, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`)
}

function invalid(file: string, section: string, fault: string): StrongroomError {
  return new StrongroomError('SR_CONFIG_INVALID', `${file}: [${section}] ${fault}`)
}

/** Lets a parser of ours stand in a schema. */
function orIssue<T>(read: (text: string) => T): (text: string, context: z.RefinementCtx) => T {
  return (text, context) => {
    try {
      return read(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) })
      return z.NEVER
    }
  }
}
