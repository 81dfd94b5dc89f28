import { z } from 'zod'
import { readAgentConfig } from '../../agent/config.ts'
import { StrongroomError } from '../../errors.ts'
import { maxKeyId } from '../../keyring/data-key.ts'
import { askAgent } from '../admin-client.ts'
import { parseArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { print } from '../terminal.ts'

const listedKey = z.object({
  keyId: z.number(),
  version: z.number(),
  masterKey: z.string().optional(),
  bitLength: z.number().optional(),
  isLatest: z.boolean(),
})
const madeKey = z.object({ keyId: z.number(), version: z.number(), bitLength: z.number() })

export const keys: Command = {
  help: `
  strongroom keys list
  strongroom keys rotate 1

Asks the agent, at its admin socket.

  keys list         every version ever issued, and the master key that wraps it
  keys create ID    the first version of an id; also for a database that was never encrypted
  keys rotate ID    the next version of an id

  --config FILE     the agent's configuration (default: /etc/strongroom/agent.conf)
  --keyring NAME    needed where the agent has several
  --json            for programs
`,
  async run(args) {
    const { values, positionals } = parseArguments({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string', default: '/etc/strongroom/agent.conf' },
        keyring: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const { socket, name } = find(values.config, values.keyring)
    const [verb, id] = positionals
    if (verb === 'list' && positionals.length === 1) {
      const path = `/keyrings/${name}/keys`
      const list = await askAgent(socket, { method: 'GET', path, answer: z.array(listedKey) })
      if (values.json) print(JSON.stringify(list))
      else list.map(describe).forEach(print)
      return 0
    }
    if ((verb === 'create' || verb === 'rotate') && positionals.length === 2) {
      const path = `/keyrings/${name}/keys/${checkedId(id)}/${verb}`
      const made = await askAgent(socket, { method: 'POST', path, answer: madeKey })
      print(
        values.json
          ? JSON.stringify(made)
          : `key ${made.keyId}, version ${made.version}, ${made.bitLength} bit`,
      )
      return 0
    }
    throw new StrongroomError('SR_USAGE', 'keys takes list, create ID or rotate ID')
  },
}

function checkedId(id = ''): string {
  if (/^[1-9]\d{0,9}$/.test(id) && Number(id) <= maxKeyId) return id
  throw new StrongroomError('SR_USAGE', `"${id}" is no key id: they go from 1 to ${maxKeyId}`)
}

function find(configFile: string, wanted: string | undefined): { socket: string; name: string } {
  const config = readAgentConfig(configFile)
  const names = config.keyrings.map((keyring) => keyring.name)
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined)
    throw new StrongroomError('SR_USAGE', `--keyring is missing: one of ${names.join(', ')}`)
  if (config.adminSocket !== undefined) return { socket: config.adminSocket, name }
  throw new StrongroomError(
    'SR_CONFIG_INVALID',
    `${configFile}: [agent] admin-socket: is not set, so the agent can't be asked`,
  )
}

function describe({ keyId, version, masterKey, bitLength, isLatest }: z.infer<typeof listedKey>): string {
  const state = bitLength === undefined ? 'not held' : `${bitLength} bit${isLatest ? ', latest' : ''}`
  return `key ${keyId}, version ${version}  ${state.padEnd(15)}  ${masterKey ?? ''}`.trimEnd()
}
