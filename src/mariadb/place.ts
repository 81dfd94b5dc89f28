import { chmod, chown, mkdir, open, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { requireWritable, serverAccount, type ServerAccount } from './account.ts'
import { renderOptionFile, type Options } from './option-file.ts'

export interface ServerPlace {
  /** Everything of the server lies in it: data/, tmp/, run/ (socket), server.cnf, error.log. */
  readonly directory: string
  /** Options of the server, in addition to those that keep it small and private. */
  readonly options: Options
  /** A TCP port on 127.0.0.1; without one the server listens on its socket only. */
  readonly port?: number
  /** Without it, the server is killed when our process dies, however it dies. */
  readonly outlivesUs?: boolean
}

export interface Place {
  readonly account: ServerAccount
  readonly directory: string
  readonly dataDirectory: string
  readonly socket: string
  readonly optionFile: string
  readonly errorLog: string
  readonly outlivesUs: boolean
  /** In which the server looks for plugins, if not in its package's. */
  readonly pluginFolder: string | undefined
}

/** Makes the folders and files of a private server, readable by nobody but the user it runs as (and us). */
export async function preparePlace(given: ServerPlace): Promise<Place> {
  const directory = resolve(given.directory)
  const pluginFolder = given.options['plugin-dir']
  const place = {
    account: serverAccount(),
    directory,
    dataDirectory: join(directory, 'data'),
    socket: join(directory, 'run', 'server.sock'),
    optionFile: join(directory, 'server.cnf'),
    errorLog: join(directory, 'error.log'),
    outlivesUs: given.outlivesUs ?? false,
    pluginFolder: typeof pluginFolder === 'string' ? pluginFolder : undefined,
  }
  requirePlainPath(directory)
  requireShortEnough(place.socket)
  await makeFolders(place)
  requireWritable(place.account, place.dataDirectory)
  await makeErrorLog(place)
  await writeOptionFile(place, {
    client: { socket: place.socket, user: 'root' },
    mariadbd: { ...privateOptions(place), ...listenOptions(given.port), ...given.options },
  })
  return place
}

// mariadb-install-db is a shell script that splits such a path, does something else, and reports success (10.11.19).
function requirePlainPath(directory: string) {
  if (!/[\s"'`$\\*?[\](){};&|<>!#]/.test(directory)) return
  throw new StrongroomError(
    'SR_MARIADB_PLACE',
    `mariadb-install-db cannot work in ${JSON.stringify(directory)}: choose a directory without spaces and shell characters`,
  )
}

// The kernel's sockaddr_un holds 108 bytes with the final NUL.
const longestSocket = 107

function requireShortEnough(socket: string) {
  const length = Buffer.byteLength(socket)
  if (length <= longestSocket) return
  throw new StrongroomError(
    'SR_MARIADB_PLACE',
    `the path of the socket, ${socket}, has ${length} bytes, and a socket's path at most ${longestSocket}: ` +
      'choose a directory with a shorter path',
  )
}

async function makeFolders({ account, directory, dataDirectory }: Place) {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (account.other !== undefined) {
    await chown(directory, 0, account.other.gid)
    await chmod(directory, 0o710)
  }
  for (const folder of [dataDirectory, join(directory, 'tmp'), join(directory, 'run')]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (account.other !== undefined) await chown(folder, account.other.uid, account.other.gid)
  }
}

async function makeErrorLog({ account, errorLog }: Place) {
  await using handle = await open(errorLog, 'a', 0o600)
  if (account.other !== undefined) await handle.chown(account.other.uid, account.other.gid)
}

/** The options may hold an access token: the file is never readable by others, not for a moment. */
async function writeOptionFile({ account, optionFile }: Place, groups: Record<string, Options>) {
  const draft = `${optionFile}.new`
  await writeFile(draft, renderOptionFile(groups), { mode: 0o600 })
  if (account.other !== undefined) {
    await chown(draft, 0, account.other.gid)
    await chmod(draft, 0o640)
  }
  await rename(draft, optionFile)
}

function privateOptions({ directory, dataDirectory, socket, errorLog }: Place): Options {
  return {
    datadir: dataDirectory,
    socket,
    'pid-file': join(directory, 'run', 'server.pid'),
    'log-error': errorLog,
    tmpdir: join(directory, 'tmp'),
    'skip-name-resolve': true,
    'innodb-buffer-pool-size': '32M',
    'innodb-log-file-size': '8M',
    'aria-pagecache-buffer-size': '8M',
    'key-buffer-size': '1M',
    'performance-schema': 'OFF',
  }
}

function listenOptions(port: number | undefined): Options {
  return port === undefined
    ? { 'skip-networking': true }
    : { 'bind-address': '127.0.0.1', port: String(port) }
}
