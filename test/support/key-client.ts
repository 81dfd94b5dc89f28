import type {
  PluginStackListener,
  StackListener,
  VaultStackListener,
} from '../../src/cli/demo/stack-listener.ts'
import type { PluginAnswer } from './plugin-client.ts'
import { PluginClient } from './plugin-client.ts'
import { askVaultForKey, readKeyBody } from './vault-client.ts'

export interface ServedKey {
  readonly version: number
  readonly bytes: Buffer
}

/**
 * What MariaDB's plugin gets: the key; `absent`: told for certain that there is none; `unavailable`: whatever tells the plugin
 * that it can't be had now, so that it goes on with what it has.
 */
export type KeyReply = ServedKey | 'absent' | 'unavailable'

interface Asked {
  readonly listener: StackListener
}

/** Asks the agent for a key as the plugin of that listener does; without a version for the latest. */
export async function askForKey({ listener }: Asked, keyId: number, version?: number): Promise<KeyReply> {
  return listener.name === 'vault'
    ? await throughVault(listener, keyId, version)
    : await throughPlugin(listener, keyId, version)
}

/** `VERSION:HEX` of the key that is served; undefined: none is. */
export async function keyAnswer(asked: Asked, keyId: number, version?: number): Promise<string | undefined> {
  const reply = await askForKey(asked, keyId, version)
  return typeof reply === 'string' ? undefined : `${reply.version}:${reply.bytes.toString('hex')}`
}

export async function keyOutcome(
  asked: Asked,
  keyId: number,
  version?: number,
): Promise<'served' | 'absent' | 'unavailable'> {
  const reply = await askForKey(asked, keyId, version)
  return typeof reply === 'string' ? reply : 'served'
}

/** The bytes of keys that must be served. */
export async function servedKeys(asked: Asked, keyIds: readonly number[]): Promise<Buffer[]> {
  return await Promise.all(
    keyIds.map(async (keyId) => {
      const reply = await askForKey(asked, keyId)
      if (typeof reply === 'string') throw new Error(`key ${keyId} is ${reply}`)
      return reply.bytes
    }),
  )
}

async function throughVault(
  target: VaultStackListener,
  keyId: number,
  version: number | undefined,
): Promise<KeyReply> {
  const reply = await askVaultForKey(target, keyId, version)
  if (reply === undefined) return 'unavailable'
  if (reply.status === 404) return 'absent'
  if (reply.status !== 200) throw new Error(`MariaDB's plugin takes status ${reply.status} for the end`)
  return readKeyBody(reply.body)
}

async function throughPlugin(
  { socket }: PluginStackListener,
  keyId: number,
  version: number | undefined,
): Promise<KeyReply> {
  const answer = await askOnce(socket, (client) =>
    version === undefined ? client.getLatest(keyId) : client.getKey(keyId, version),
  )
  if (answer?.type === 'key') return { version: answer.version, bytes: answer.bytes }
  return answer?.type === 'absent' ? 'absent' : 'unavailable'
}

/** On a connection of its own. undefined: the agent isn't there, doesn't want us, or has gone. */
async function askOnce(
  socket: string,
  ask: (client: PluginClient) => Promise<PluginAnswer>,
): Promise<PluginAnswer> {
  const client = await PluginClient.connect(socket).catch(() => undefined)
  try {
    return client && (await ask(client))
  } finally {
    client?.close()
  }
}
