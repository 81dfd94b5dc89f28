import { z } from 'zod'
import { StrongroomError } from '../../../errors.ts'
import { findCommand } from '../../../mfa-session/run-command.ts'
import { checkedSerialNumber } from '../../../mfa-session/serial-number.ts'
import { agentKeyringOptions } from '../../agent-keyring.ts'
import { parseArguments } from '../../arguments.ts'
import { awsOptions } from '../../aws-options.ts'

export interface WithMfaOptions {
  readonly aws: { readonly [Name in keyof typeof awsOptions]?: string | undefined }
  readonly agent: { readonly config: string; readonly keyring?: string | undefined }
  /** Empty: the credentials are handed over, and nothing is run. */
  readonly command: readonly string[]
  readonly serialNumber: string | undefined
  /** undefined: the code is asked for at the terminal. */
  readonly codeFrom: number | undefined
  readonly roleArn: string | undefined
  readonly durationSeconds: number
  /** The command has the credentials, the agent doesn't. */
  readonly inEnvironment: boolean
  readonly json: boolean
}

const shortest = 900
/** GetSessionToken's and AssumeRole's, in seconds. */
const longest = { session: 129_600, role: 43_200 }

const schema = z.object({
  serial: z.string().transform(checkedSerialNumber).optional(),
  'code-from': z
    .string()
    .regex(/^(0|[3-9]|[1-9]\d{1,3})$/, 'must be the number of a file descriptor: 0, or 3 and above')
    .transform(Number)
    .optional(),
  'role-arn': z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, 'must be the ARN of a role')
    .optional(),
  duration: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a number of seconds')
    .transform(Number),
})

/** Throws SR_USAGE; nothing was asked of anybody then. */
export function parseOptions(args: readonly string[]): WithMfaOptions {
  const { values, tokens, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    tokens: true,
    options: {
      ...agentKeyringOptions,
      ...awsOptions,
      serial: { type: 'string' },
      'code-from': { type: 'string' },
      'role-arn': { type: 'string' },
      duration: { type: 'string', default: String(shortest) },
      env: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Infinity
  const early = tokens.find((token) => token.kind === 'positional' && token.index < end)
  if (early !== undefined)
    throw usage('COMMAND stands behind --: strongroom with-mfa -- systemctl start mariadb')
  if (values.env && positionals.length === 0)
    throw usage('--env is for a command, and there is none behind --')
  const { success, data, error } = schema.safeParse(values)
  if (!success)
    throw usage(error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`).join('; '))
  const limit = data['role-arn'] === undefined ? longest.session : longest.role
  if (data.duration < shortest || data.duration > limit)
    throw usage(`--duration must be ${shortest} to ${limit} seconds`)
  const [name, ...rest] = positionals
  return {
    aws: values,
    agent: values,
    command: name === undefined ? [] : [findCommand(name), ...rest],
    serialNumber: data.serial,
    codeFrom: data['code-from'],
    roleArn: data['role-arn'],
    durationSeconds: data.duration,
    inEnvironment: values.env,
    json: values.json,
  }
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
