import { resolve } from 'node:path'
import { credentialWays, listeners, type Wishes } from '../../../deployment/wishes.ts'
import { StrongroomError } from '../../../errors.ts'
import { parseArguments } from '../../arguments.ts'

export type Mode = 'check' | 'dry-run' | 'yes' | 'ask'

export interface Arguments {
  readonly root: string
  readonly wishes: Wishes
  readonly mode: Mode
  readonly json: boolean
}

/** Those of [keyring NAME] in agent.conf; an empty one takes the option away. */
const keyringOptionNames = [
  'master-key-id',
  'region',
  'endpoint-url',
  'key-spec',
  'keyring-id',
  'encryption-context',
] as const

/** Throws SR_USAGE. */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArguments({
    args: [...args],
    options: {
      check: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      root: { type: 'string', default: '/' },
      config: { type: 'string', default: '/etc/strongroom/agent.conf' },
      listener: { type: 'string' },
      keyring: { type: 'string' },
      'data-directory': { type: 'string' },
      'master-key-id': { type: 'string' },
      region: { type: 'string' },
      'endpoint-url': { type: 'string' },
      'key-spec': { type: 'string' },
      'keyring-id': { type: 'string' },
      'encryption-context': { type: 'string' },
      credentials: { type: 'string' },
      listen: { type: 'string' },
      'new-token': { type: 'boolean', default: false },
      'secure-file-priv': { type: 'string' },
      'plugin-file': { type: 'string' },
      'option-file': { type: 'string' },
      program: { type: 'string' },
    },
  })
  const wanted = (['check', 'dry-run', 'yes'] as const).filter((name) => values[name])
  if (wanted.length > 1)
    throw new StrongroomError('SR_USAGE', `--${wanted.join(' and --')} exclude each other`)
  const mode = wanted[0] ?? 'ask'
  if (mode === 'ask' && !(process.stdin.isTTY && process.stderr.isTTY))
    throw new StrongroomError(
      'SR_USAGE',
      'there is no terminal at which to ask: give --yes, --dry-run or --check',
    )
  const keyringOptions = Object.fromEntries(
    keyringOptionNames.flatMap((name) => {
      const value = values[name]
      return value === undefined ? [] : [[name, value === '' ? undefined : value]]
    }),
  )
  return {
    root: values.root,
    mode,
    json: values.json,
    wishes: {
      config: absolute('config', values.config),
      listener: oneOf('listener', listeners, values.listener),
      keyring: values.keyring,
      dataDirectory: values['data-directory'] && absolute('data-directory', values['data-directory']),
      keyringOptions,
      credentials: oneOf('credentials', credentialWays, values.credentials),
      listen: values.listen,
      optionFile: values['option-file'] && absolute('option-file', values['option-file']),
      secureFilePriv:
        values['secure-file-priv'] === 'keep'
          ? 'keep'
          : values['secure-file-priv'] && absolute('secure-file-priv', values['secure-file-priv']),
      pluginFile: values['plugin-file'] && resolve(values['plugin-file']),
      program: values.program && absolute('program', values.program),
      newToken: values['new-token'],
    },
  }
}

function oneOf<T extends string>(
  name: string,
  choices: readonly T[],
  value: string | undefined,
): T | undefined {
  const found = choices.find((choice) => choice === value)
  if (value === undefined || found !== undefined) return found
  throw new StrongroomError('SR_USAGE', `--${name} takes ${choices.join(', ')}`)
}

/** Such a path is one of the host's that is configured, which may be another than ours. */
function absolute(name: string, path: string): string {
  if (path.startsWith('/')) return resolve(path)
  throw new StrongroomError('SR_USAGE', `--${name} ${path}: must begin with /`)
}
