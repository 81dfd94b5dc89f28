import { setTimeout } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import { connectTo, rowsOf, textIn, type Connection } from '../../mariadb/connection.ts'
import { type Looked, seen, unseen } from '../looked.ts'
import { askPrimary, type Primary } from './primary.ts'
import { readSmallFile } from './small-file.ts'

/** What a running server says of itself. */
export interface ServerFacts {
  readonly socket: string
  /** SHOW GLOBAL VARIABLES, by their names in lower case. */
  readonly variables: ReadonlyMap<string, string>
  /** Those of type ENCRYPTION, active or not. */
  readonly keyPlugins: readonly KeyPlugin[]
  /** The primaries that it replicates from. */
  readonly primaries: readonly Primary[]
  /** undefined: its process can't be told. */
  readonly pid: number | undefined
}

export interface KeyPlugin {
  readonly name: string
  readonly isActive: boolean
  readonly author: string
  /** ON, FORCE or FORCE_PLUS_PERMANENT. */
  readonly loadOption: string
}

export interface ServerToAsk {
  readonly socket: string
  readonly user: string
  /** Whether its primaries are asked too, with the user by whom it replicates. */
  readonly asksPrimaries: boolean
}

/** Milliseconds for all that it is asked: a server that hangs, or never comes to an end, must not hold us. */
const patience = 20_000

export async function lookAtServer(ask: ServerToAsk): Promise<Looked<ServerFacts>> {
  const { socket, user } = ask
  let connection: Connection | undefined
  try {
    connection = await connectTo(socket, user)
    const late = setTimeout(patience, undefined, { ref: false })
    const facts = await Promise.race([factsFrom(connection, ask), late])
    if (facts === undefined) throw new Error(`no answer within ${patience} ms`)
    return seen(facts)
  } catch (error) {
    return unseen(`the server does not answer at ${socket} as user ${user} (${messageOf(error)})`)
  } finally {
    // Not `end`, which waits for the server.
    connection?.destroy()
  }
}

async function factsFrom(
  connection: Connection,
  { socket, asksPrimaries }: ServerToAsk,
): Promise<ServerFacts> {
  const variables = new Map(
    (await rowsOf(connection, 'SHOW GLOBAL VARIABLES')).map((row) => [
      textIn(row, 'Variable_name').toLowerCase(),
      textIn(row, 'Value'),
    ]),
  )
  const plugins = await rowsOf(
    connection,
    "SELECT * FROM INFORMATION_SCHEMA.PLUGINS WHERE PLUGIN_TYPE = 'ENCRYPTION'",
  )
  return {
    socket,
    variables,
    keyPlugins: plugins.map((row) => ({
      name: textIn(row, 'PLUGIN_NAME'),
      isActive: textIn(row, 'PLUGIN_STATUS') === 'ACTIVE',
      author: textIn(row, 'PLUGIN_AUTHOR'),
      loadOption: textIn(row, 'LOAD_OPTION'),
    })),
    primaries: await primariesOf(connection, asksPrimaries ? variables.get('datadir') : undefined),
    pid: pidIn(variables.get('pid_file'), variables.get('datadir')),
  }
}

/** `dataDirectory`: they are asked, with what stands there. */
async function primariesOf(connection: Connection, dataDirectory: string | undefined): Promise<Primary[]> {
  // The word for it in all versions; with several primaries it shows each.
  const rows = await rowsOf(connection, 'SHOW ALL SLAVES STATUS')
  return await Promise.all(
    rows.map(async (row) => {
      const source = {
        host: textIn(row, 'Master_Host'),
        port: Number(textIn(row, 'Master_Port')),
        user: textIn(row, 'Master_User'),
        usesTls: textIn(row, 'Master_SSL_Allowed') === 'Yes',
        name: textIn(row, 'Connection_name'),
      }
      const { host, port } = source
      const notAsked = unseen(
        `whether the primary ${host}:${port} is encrypted: run doctor there, or here with --ask-primary`,
      )
      return {
        host,
        port,
        encryptsTables: dataDirectory === undefined ? notAsked : await askPrimary(source, dataDirectory),
      }
    }),
  )
}

function pidIn(file: string | undefined, dataDirectory: string | undefined): number | undefined {
  if (file === undefined || file === '') return undefined
  try {
    const path = file.startsWith('/') ? file : `${dataDirectory ?? ''}/${file}`
    const pid = Number(readSmallFile(path, 64).toString('utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}
