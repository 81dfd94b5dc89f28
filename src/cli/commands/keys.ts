import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import { maxKeyId } from '../../keyring/data-key.ts'
import { askAgent } from '../admin-client.ts'
import { agentKeyringHelp, agentKeyringOptions, findAgentKeyring } from '../agent-keyring.ts'
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

${agentKeyringHelp}
  --json              for programs
`,
  async run(args) {
    const { values, positionals } = parseArguments({
      args: [...args],
      allowPositionals: true,
      options: {
        ...agentKeyringOptions,
        json: { type: 'boolean', default: false },
      },
    })
    const {
      socket,
      config: { name },
    } = findAgentKeyring(values)
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

function describe({ keyId, version, masterKey, bitLength, isLatest }: z.infer<typeof listedKey>): string {
  const state = bitLength === undefined ? 'not held' : `${bitLength} bit${isLatest ? ', latest' : ''}`
  return `key ${keyId}, version ${version}  ${state.padEnd(15)}  ${masterKey ?? ''}`.trimEnd()
}
