import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StrongroomError, messageOf } from '../errors.ts'
import { commandFor, endingWithUs } from './account.ts'
import { startChild, type Child, type Exit } from './child.ts'
import { connectTo, queryOnce, type Connection, type Row } from './connection.ts'
import { errorsInLog, lengthOfLog } from './error-log.ts'
import { preparePlace, type Place, type ServerPlace } from './place.ts'
import { findProgram } from './programs.ts'

export type { Connection, Row, ServerPlace, Exit }

/** A private server's folders and option file, ready to be initialised and started. */
export interface PreparedServer {
  readonly dataDirectory: string
  readonly optionFile: string
  readonly socket: string
  readonly errorLog: string
  /** Creates the system tables, with a root that needs no password over the socket, and no test database. */
  initialise(): Promise<void>
  start(options?: { readonly limit?: number }): Promise<RunningServer>
}

export interface RunningServer {
  readonly pid: number
  readonly socket: string
  readonly exited: Promise<Exit>
  /** Runs one statement on a connection of its own; session settings do not last. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>
  connect(): Promise<Connection>
  /** Asks the server to end, waits for it, and kills it after the limit (ms). `exited` tells which it was. */
  stop(options?: { readonly limit?: number }): Promise<void>
  kill(): Promise<void>
}

/**
 * Makes the folders and the option file of a server that shares nothing with the machine's own. To change the options
 * of a server that is stopped, prepare the same directory again.
 */
export async function prepareServer(place: ServerPlace): Promise<PreparedServer> {
  const made = await preparePlace(place)
  const { dataDirectory, optionFile, socket, errorLog } = made
  return {
    dataDirectory,
    optionFile,
    socket,
    errorLog,
    initialise: () => initialise(made),
    start: (options = {}) => start(made, options.limit ?? 60_000),
  }
}

/**
 * Has glibc overwrite what is freed (mallopt(3), M_PERTURB). Without it the plugin's last answer, with a data key in it, lies
 * in freed memory, and Aria writes that to disk as the unused part of an index file: measured on MariaDB 10.11.19, in
 * `sys/sys_config.MAI`, after 3 of 42 initialisations.
 */
const freshMemory = { MALLOC_PERTURB_: '165' }

async function initialise(place: Place): Promise<void> {
  const logStart = await lengthOfLog(place.errorLog)
  const outputFile = join(place.directory, 'install-db.log')
  const command = commandFor(
    place.account,
    findProgram('mariadb-install-db'),
    `--defaults-file=${place.optionFile}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    // It sets its own one, behind the option file.
    ...(place.pluginFolder === undefined ? [] : [`--plugin-dir=${place.pluginFolder}`]),
  )
  const child = await startChild(endingWithUs(command), outputFile, freshMemory)
  const exit = await child.exited
  if (exit.code === 0) return
  const errors = await errorsInLog(place.errorLog, { from: logStart })
  const output = (await readFile(outputFile, 'utf8')).trimEnd().split('\n').slice(-15)
  throw new StrongroomError(
    'SR_MARIADB_START',
    `mariadb-install-db could not initialise ${place.dataDirectory} (${nameOf(exit)}):\n` +
      (errors.length > 0 ? errors : output).join('\n'),
  )
}

async function start(place: Place, limit: number): Promise<RunningServer> {
  await requireFree(place.socket)
  const logStart = await lengthOfLog(place.errorLog)
  const command = commandFor(place.account, findProgram('mariadbd'), `--defaults-file=${place.optionFile}`)
  const child = await startChild(
    place.outlivesUs ? command : endingWithUs(command),
    join(place.directory, 'output.log'),
    freshMemory,
  )
  const failure = await Promise.race([answers(child, place.socket, limit), child.exited.then(nameOf)])
  if (failure === undefined) return running(child, place.socket)
  child.kill('SIGKILL')
  await child.exited
  // What a key plugin says comes first, and then whatever does not work without it.
  const errors = await errorsInLog(place.errorLog, { from: logStart, limit: 20 })
  const said = errors.length > 0 ? errors.join('\n') : `it logged no error; see ${place.errorLog}`
  throw new StrongroomError('SR_MARIADB_START', `mariadbd did not start (${failure}):\n${said}`)
}

// The server that answers must be the one that was started.
async function requireFree(socket: string) {
  const busy = await queryOnce(socket, 'SELECT 1').then(
    () => true,
    () => false,
  )
  if (busy)
    throw new StrongroomError('SR_MARIADB_START', `a server answers at ${socket} already; stop it first`)
}

/** Waits until the server answers: resolves to undefined, or to why not. */
async function answers(child: Child, socket: string, limit: number): Promise<string | undefined> {
  const gone = new AbortController()
  void child.exited.then(() => {
    gone.abort()
  })
  const deadline = performance.now() + limit
  let lastError: unknown
  while (!gone.signal.aborted && performance.now() < deadline) {
    try {
      await queryOnce(socket, 'SELECT 1')
      return undefined
    } catch (error) {
      lastError = error
      await sleep(20)
    }
  }
  return `no answer within ${limit} ms: ${messageOf(lastError)}`
}

function running(child: Child, socket: string): RunningServer {
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    pid: child.pid,
    socket,
    exited: child.exited,
    query: (sql, values) => queryOnce(socket, sql, values),
    connect: () => connectTo(socket),
    stop: async ({ limit = 60_000 } = {}) => {
      child.kill('SIGTERM')
      const overdue = new AbortController()
      const late = sleep(limit, 'late', { signal: overdue.signal }).catch(() => 'ended')
      if ((await Promise.race([child.exited, late])) === 'late') await kill()
      overdue.abort()
    },
    kill,
  }
}

function nameOf({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code ?? 'unknown'}` : `ended by ${signal}`
}
