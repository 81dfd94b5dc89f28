import { chmodSync, chownSync, copyFileSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { messageOf } from '../../src/errors.ts'
import { serverAccount } from '../../src/mariadb/account.ts'
import type { Site } from './site.ts'

/** What the suite `vault` administers by HashiCorp's command, done to the agent's keyrings. */
export interface VaultStandIn {
  /** For the suite's environment. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Lays a stand-in for the command `vault` into `folder`, and does to the site's agent what it is told to. */
export async function standInForVault(site: Site, folder: string): Promise<VaultStandIn> {
  const program = join(folder, 'vault')
  copyFileSync(join(import.meta.dirname, 'stand-in-vault.pl'), program)
  chmodSync(program, 0o755)
  const commandSocket = join(folder, 'stand-in.sock')
  const firstVersion = new Set<string>()
  const commands = createServer({ allowHalfOpen: true }, (connection) => {
    void text(connection)
      .then((lines) => obey(site, firstVersion, lines.trimEnd().split('\n')))
      .then(
        () => connection.end('ok'),
        (error: unknown) => connection.end(messageOf(error)),
      )
  })
  const front = createServer((connection) => {
    passOn(site, firstVersion, connection)
  })
  await listening(commands, { path: commandSocket })
  await listening(front, { host: '127.0.0.1', port: 0 })
  const { other } = serverAccount()
  if (other !== undefined) chownSync(commandSocket, other.uid, other.gid)
  const address = front.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    environment: { STAND_IN_SOCKET: commandSocket, VAULT_ADDR: `http://127.0.0.1:${port ?? 0}` },
    close: async () => {
      await Promise.all([closed(commands), closed(front)])
    },
  }
}

async function obey(site: Site, firstVersion: Set<string>, words: readonly string[]): Promise<void> {
  const line = words.join(' ')
  const disabled = /^secrets disable (\w+)$/.exec(line)
  const enabled = /^secrets enable -path \/(\w+) -version=([12]) kv$/.exec(line)
  const put = /^kv put \/(\w+)\/(\d+) data=([0-9A-Fa-f]+)$/.exec(line)
  const mount = (disabled ?? enabled ?? put)?.[1]
  if (mount === undefined) throw new Error(`no such command: ${words.slice(0, 2).join(' ')}`)
  if (enabled?.[2] === '1') firstVersion.add(mount)
  else if (disabled !== null && firstVersion.delete(mount)) return
  else if (!site.hasKeyring(mount)) {
    // What was never enabled, or what lies in a mount of version 1: the agent has nothing to do with it.
    if (disabled === null && !firstVersion.has(mount)) throw new Error(`the agent has no keyring ${mount}`)
  } else if (put === null) await site.renewKeyring(mount)
  else await site.addKey(mount, Number(put[2]), Buffer.from(put[3] ?? '', 'hex'))
}

/**
 * The suite wants to see version 1 of the key-value store refused, which the agent doesn't speak: that one question is
 * answered here, and every other connection goes to the agent, byte by byte.
 */
function passOn(site: Site, firstVersion: ReadonlySet<string>, connection: Socket): void {
  connection.once('data', (first) => {
    const mount = /^GET \/v1\/sys\/mounts\/(\w+)\/tune /.exec(first.toString('latin1'))?.[1]
    if (mount !== undefined && firstVersion.has(mount)) {
      const body = '{"options":{"version":"1"}}'
      connection.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
      return
    }
    const { hostname, port } = new URL(site.vaultAddress)
    const agent = connect(Number(port), hostname)
    agent.write(first)
    void Promise.allSettled([pipeline(connection, agent), pipeline(agent, connection)])
  })
  connection.on('error', () => undefined)
}

async function listening(server: Server, where: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(where, resolve)
  })
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
}
