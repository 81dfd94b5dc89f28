import { dirname, resolve } from 'node:path'
import { hostname } from 'node:os'
import { z } from 'zod'
import { StrongroomError } from '../../../errors.ts'
import { checkSection, type Options, optionalText, orIssue, readIniFile } from '../../../ini-file.ts'
import { parseListenAddress } from '../../../kms/listen-address.ts'
import type { KmsServiceOptions, TlsOptions } from '../../../kms/options.ts'
import { parseQuotas } from '../../../kms/quotas.ts'
import { parseArguments } from '../../arguments.ts'
import { auditOptions, auditOptionShapes } from './audit-options.ts'
import { sealRequest } from './seal-options.ts'

/** What the daemon is started with. */
export interface KmsConfig {
  readonly logLevel: string
  readonly service: Omit<KmsServiceOptions, 'log'>
}

const region = /^[a-z]{2}(-[a-z]+)+-\d{1,2}$/
const address = optionalText.pipe(
  z
    .string()
    .transform(orIssue((text) => (parseListenAddress(text), text)))
    .optional(),
)
const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  )
  .optional()

/** Every option of the section `[kms]`, all of them texts; each is also a flag of the command line. */
const options = z.strictObject({
  'data-directory': optionalText,
  listen: address,
  'metrics-listen': address,
  region: optionalText.pipe(z.string().regex(region, 'takes a name such as us-east-1').optional()),
  regions: list.pipe(
    z.array(z.string().regex(region, 'takes names such as us-east-1, eu-west-1')).optional(),
  ),
  'account-id': optionalText.pipe(
    z
      .string()
      .regex(/^\d{12}$/, 'takes 12 digits')
      .optional(),
  ),
  tls: z.enum(['off', 'own-ca', 'files'], 'is off, own-ca or files').optional(),
  'tls-names': list,
  'tls-certificate': optionalText,
  'tls-key': optionalText,
  'allow-plain-http': z.enum(['yes', 'no'], 'is yes or no').optional(),
  seal: optionalText,
  'seal-key-id': optionalText,
  'seal-region': optionalText,
  'seal-endpoint': optionalText,
  'passphrase-file': optionalText,
  quotas: z.string().transform(orIssue(parseQuotas)).optional(),
  ...auditOptionShapes,
  'log-level': z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'is one of trace, debug, info, warn, error, silent',
    })
    .optional(),
})
export const kmsOptionNames = Object.keys(options.shape)

const fileOptions = [
  'data-directory',
  'tls-certificate',
  'tls-key',
  'passphrase-file',
  'audit-forward-token-file',
  'audit-forward-ca-file',
] as const

/** Reads flags, and the file that `--config` names: flags win. Throws SR_USAGE and SR_CONFIG_INVALID. */
export function readKmsConfig(args: readonly string[]): KmsConfig {
  const { config: file, data, ...named } = readFlags(args)
  const flags = data === undefined ? named : { ...named, 'data-directory': data }
  checkFlags(flags)
  const given = options.parse({ ...(file === undefined ? {} : readFile(file)), ...flags })
  const dataDirectory = given['data-directory']
  if (dataDirectory === undefined) throw usage('--data DIR is missing')
  return {
    logLevel: given['log-level'] ?? 'info',
    service: {
      dataDirectory,
      listen: given.listen,
      metricsListen: given['metrics-listen'],
      region: given.region,
      regions: given.regions,
      accountId: given['account-id'],
      tls: tlsOptions(given),
      allowPlainHttp: given['allow-plain-http'] === 'yes',
      quotas: given.quotas,
      ...auditOptions(given),
      seal: sealRequest(given),
      passphraseFile: given['passphrase-file'],
    },
  }
}

function readFlags(args: readonly string[]): Record<string, string | undefined> {
  const names = [...kmsOptionNames, 'config', 'data']
  const flags = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  const { values } = parseArguments({ args: [...args], options: flags })
  return Object.fromEntries(
    Object.entries(values).filter((one): one is [string, string] => typeof one[1] === 'string'),
  )
}

function checkFlags(flags: Options): void {
  const result = options.safeParse(flags)
  if (result.success) return
  const [issue] = result.error.issues
  throw usage(`--${String(issue?.path[0])} ${issue?.message ?? 'is wrong'}`)
}

/** The texts of the file, checked; its relative paths start at its folder. */
function readFile(file: string): Options {
  const sections = readIniFile(file)
  for (const section of sections.keys()) {
    if (section === 'kms') continue
    throw new StrongroomError(
      'SR_CONFIG_INVALID',
      `${file}: [${section}] is not a section of this file: it has [kms] alone`,
    )
  }
  const texts = sections.get('kms') ?? {}
  checkSection(options, texts, { file, section: 'kms' })
  const folder = dirname(resolve(file))
  const paths = fileOptions.flatMap((name) => {
    const path = texts[name]
    return typeof path === 'string' && path !== '' ? [[name, resolve(folder, path)] as const] : []
  })
  return { ...texts, ...Object.fromEntries(paths) }
}

function tlsOptions(given: z.infer<typeof options>): TlsOptions | undefined {
  const { 'tls-certificate': certificateFile, 'tls-key': keyFile, 'tls-names': names } = given
  const files = certificateFile !== undefined && keyFile !== undefined
  if (!files && (certificateFile ?? keyFile) !== undefined) {
    throw usage('tls-certificate and tls-key go together')
  }
  const tls = given.tls ?? (files ? 'files' : names === undefined ? 'off' : 'own-ca')
  if (files !== (tls === 'files')) throw usage('tls-certificate and tls-key are for tls = files')
  if (names !== undefined && tls !== 'own-ca') throw usage('tls-names is for tls = own-ca')
  if (files) return { certificateFile, keyFile }
  return tls === 'off' ? undefined : { names: names ?? ['localhost', '127.0.0.1', '::1', hostname()] }
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
