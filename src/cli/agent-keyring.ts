import { type KeyringConfig, readAgentConfig } from '../agent/config.ts'
import { StrongroomError } from '../errors.ts'

/** One keyring of the agent on this host, as a command names it. */
export interface AgentKeyring {
  /** At which the agent is asked. */
  readonly socket: string
  readonly config: KeyringConfig
}

/** The options that say which. */
export const agentKeyringOptions = {
  config: { type: 'string', default: '/etc/strongroom/agent.conf' },
  keyring: { type: 'string' },
} as const

export const agentKeyringHelp = `
  --config FILE       the agent's configuration (default: /etc/strongroom/agent.conf)
  --keyring NAME      needed where the agent has several
`.replace(/^\n|\n$/g, '')

/** Throws SR_CONFIG_INVALID, and SR_USAGE where it isn't clear which keyring is meant. */
export function findAgentKeyring({
  config: file,
  keyring: wanted,
}: {
  readonly config: string
  readonly keyring?: string | undefined
}): AgentKeyring {
  const { keyrings, adminSocket } = readAgentConfig(file)
  const config = pick(keyrings, wanted, file)
  if (adminSocket !== undefined) return { socket: adminSocket, config }
  throw new StrongroomError(
    'SR_CONFIG_INVALID',
    `${file}: [agent] admin-socket: is not set, so the agent can't be asked`,
  )
}

function pick(keyrings: readonly KeyringConfig[], wanted: string | undefined, file: string): KeyringConfig {
  const [only, ...others] = keyrings
  const names = keyrings.map(({ name }) => name).join(', ')
  if (wanted !== undefined) {
    const found = keyrings.find(({ name }) => name === wanted)
    if (found !== undefined) return found
    throw new StrongroomError(
      'SR_CONFIG_INVALID',
      `${file}: there is no keyring "${wanted}"; it has ${names}`,
    )
  }
  if (only !== undefined && others.length === 0) return only
  throw new StrongroomError('SR_USAGE', `--keyring is missing: one of ${names}`)
}
