import { z } from 'zod'
import { StrongroomError } from '../../../errors.ts'
import type { WantedIdentity, Wishes } from '../../../provisioning/wishes.ts'
import { parseArguments } from '../../arguments.ts'
import { awsOptions } from '../../aws-options.ts'

export const emitForms = ['terraform', 'cloudformation', 'cli'] as const
export type EmitForm = (typeof emitForms)[number]

export interface ProvisionArguments {
  readonly wishes: Wishes
  readonly mode: 'ask' | 'yes' | 'dry-run' | EmitForm
  readonly json: boolean
  readonly adopt: boolean
  readonly newAccessKey: boolean
  readonly credentialsOut: string | undefined
  /** For a file; undefined: that of the caller. */
  readonly accountId: string | undefined
  /** Milliseconds. */
  readonly patience: number
  readonly aws: { readonly [Name in keyof typeof awsOptions]?: string | undefined }
}

/** Throws SR_USAGE. */
export function readArguments(args: readonly string[]): ProvisionArguments {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      ...awsOptions,
      user: { type: 'string' },
      role: { type: 'string' },
      trust: { type: 'string', multiple: true },
      alias: { type: 'string' },
      'keyring-id': { type: 'string' },
      'encryption-context': { type: 'string' },
      administrator: { type: 'string', multiple: true },
      access: { type: 'string' },
      'require-mfa': { type: 'boolean' },
      rewrap: { type: 'boolean' },
      'credentials-out': { type: 'string' },
      'new-access-key': { type: 'boolean' },
      adopt: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      emit: { type: 'string' },
      'account-id': { type: 'string' },
      wait: { type: 'string' },
      yes: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  })
  if (positionals.length !== 1) throw usage('provision takes the name of one database server')
  const { success, data, error } = schema.safeParse({ ...values, server: positionals[0] })
  if (!success) throw usage(error.issues.map(({ message }) => message).join('; '))
  const wishes = wishesFrom(data)
  const mode = modeFrom(data)
  requireSense(data, mode)
  return {
    wishes,
    mode,
    json: data.json,
    adopt: data.adopt,
    newAccessKey: data['new-access-key'],
    credentialsOut: data['credentials-out'],
    accountId: data['account-id'],
    patience: data.wait * 1000,
    aws: { region: values.region, 'endpoint-url': values['endpoint-url'], profile: values.profile },
  }
}

const identityName = (option: string) =>
  z.string().regex(/^[\w+=,.@-]{1,64}$/, `--${option} must be a name in IAM`)
// IAM's paths may have more in them, which policies take for wildcards and variables.
const principal = String.raw`arn:aws[\w-]*:iam::\d{12}:(user|role)\/[\w+=,.@\/-]{1,512}`
const flag = z.boolean().default(false)

const schema = z.object({
  server: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'a server is named by at most 40 letters, digits, _ and -'),
  user: identityName('user').optional(),
  role: identityName('role').optional(),
  trust: z
    .array(
      z
        .string()
        .regex(new RegExp(`^(ec2|${principal})$`), '--trust must be ec2, or the ARN of a user or role'),
    )
    .default([]),
  alias: z
    .string()
    .regex(/^alias\/(?!aws\/)[A-Za-z0-9/_-]{1,250}$/, '--alias must be alias/NAME')
    .optional(),
  'keyring-id': z
    .string()
    .regex(/^([0-9a-f]{32}|generate)$/, '--keyring-id must be 32 hex digits in lower case, or generate')
    .optional(),
  'encryption-context': z
    .enum(['bound', 'none'], '--encryption-context takes bound or none')
    .default('bound'),
  administrator: z
    .array(
      z.string().regex(new RegExp(`^${principal}$`), '--administrator must be the ARN of a user or role'),
    )
    .default([]),
  access: z.enum(['standing', 'grant'], '--access takes standing or grant').default('standing'),
  'require-mfa': flag,
  rewrap: flag,
  'credentials-out': z.string().min(1, '--credentials-out must name a file').optional(),
  'new-access-key': flag,
  adopt: flag,
  'dry-run': flag,
  emit: z.enum(emitForms, `--emit takes ${emitForms.join(', ')}`).optional(),
  'account-id': z
    .string()
    .regex(/^\d{12}$/, '--account-id must be 12 digits')
    .optional(),
  wait: z
    .string()
    .regex(/^\d{1,3}$/, '--wait must be a number of seconds')
    .default('60')
    .transform(Number),
  yes: flag,
  json: flag,
})

type Values = z.infer<typeof schema>

function wishesFrom(values: Values): Wishes {
  const { server, alias, administrator, access, rewrap } = values
  const id = values['keyring-id']
  if (values['encryption-context'] === 'none' && id !== undefined)
    throw usage('--keyring-id has no effect with --encryption-context none')
  return {
    server,
    identity: identityFrom(values),
    alias: alias ?? `alias/strongroom-${server}`,
    keyring:
      values['encryption-context'] === 'none'
        ? { context: 'none' }
        : { context: 'bound', id: id === 'generate' ? undefined : id },
    administrators: [...new Set(administrator)],
    access,
    requiresMfa: values['require-mfa'],
    mayRewrap: rewrap,
  }
}

function identityFrom({ server, user, role, trust, ...values }: Values): WantedIdentity {
  if (role === undefined) {
    if (trust.length > 0) throw usage('--trust says who may assume a role: it goes with --role')
    return { kind: 'user', name: user ?? `strongroom-${server}` }
  }
  if (user !== undefined) throw usage('--user and --role exclude each other')
  if (trust.length === 0) throw usage('--role needs --trust: ec2, or the ARN of whoever may assume it')
  if (trust.includes('ec2') && values['require-mfa'])
    throw usage('an instance has no MFA device: --trust ec2 and --require-mfa exclude each other')
  if (values['credentials-out'] !== undefined || values['new-access-key'])
    throw usage('a role has no access key: --credentials-out and --new-access-key are for a user')
  return { kind: 'role', name: role, trusts: [...new Set(trust)] }
}

function modeFrom({ emit, yes, 'dry-run': dryRun }: Values): ProvisionArguments['mode'] {
  const wanted = [
    ...(emit === undefined ? [] : [emit]),
    ...(yes ? (['yes'] as const) : []),
    ...(dryRun ? (['dry-run'] as const) : []),
  ]
  if (wanted.length > 1) throw usage('--yes, --dry-run and --emit exclude each other')
  return wanted[0] ?? 'ask'
}

function requireSense(values: Values, mode: ProvisionArguments['mode']): void {
  const isFile = emitForms.some((form) => form === mode)
  if (!isFile && values['account-id'] !== undefined) throw usage('--account-id is for --emit')
  if (isFile && values['encryption-context'] === 'bound' && values['keyring-id'] === undefined)
    throw usage(
      '--emit needs --keyring-id: the id of the keyring that is there, or generate for a new server',
    )
  if (!isFile && mode !== 'dry-run' && values.role === undefined && values['credentials-out'] === undefined)
    throw usage('--credentials-out is missing: the file that gets the access key, or has it')
  if (mode === 'ask' && !(process.stdin.isTTY && process.stderr.isTTY))
    throw usage('there is no terminal at which to ask: give --yes, --dry-run or --emit')
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
