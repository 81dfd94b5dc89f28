import { chmodSync, chownSync, lstatSync, mkdirSync, type Stats, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { messageOf, StrongroomError, systemCode } from '../../errors.ts'
import type { Log } from '../../keyring/log.ts'
import { Sparingly } from '../../keyring/sparingly.ts'
import { type PluginMount, PluginSession } from './plugin-session.ts'
import { type CannotListen, listenWithUmask, removeStaleSocket } from './unix-socket.ts'

export interface PluginListener {
  readonly socket: string
  close(): Promise<void>
}

export interface PluginSocketOptions {
  /** In which the keyring's folder is made. */
  readonly directory: string
  /** Whose members may connect. */
  readonly groupId: number
}

/** Bytes of `sun_path` without its closing zero (unix(7)). */
const longestPath = 107
const connectionsAtMost = 100
const othersMayDo = 0o007
const othersMayWrite = 0o002
const sticky = 0o1000
/**
 * Members of the group enter, and find the socket if they know its name. Not set-group-ID, which would give the socket to the group by
 * itself: a service with RestrictSUIDSGID= (systemd.exec(5)) may not set it.
 */
const folderMode = 0o710
/** Leaves 0660. */
const socketUmask = 0o117

/** Milliseconds. */
const tellAgainAfter = 600_000

/** Listens for MariaDB's `aws_key_management` of ours. Throws SR_LISTEN_FAILED. */
export async function listenForPlugin(
  { directory, groupId }: PluginSocketOptions,
  mount: PluginMount,
  log: Log,
): Promise<PluginListener> {
  const folder = join(directory, mount.name)
  const socket = join(folder, 'agent.sock')
  const cannotListen: CannotListen = (reason, cause) =>
    new StrongroomError('SR_LISTEN_FAILED', `cannot listen at ${socket}: ${reason}`, { cause })
  if (Buffer.byteLength(socket) > longestPath) {
    throw cannotListen(
      `the path has ${Buffer.byteLength(socket)} bytes, a socket's may have ${longestPath}: choose a shorter directory in [plugin-listener], or a shorter name for the keyring`,
    )
  }
  makeFolder({ directory, folder, groupId }, cannotListen)
  await removeStaleSocket(socket, (reason, cause) =>
    cannotListen(`${reason}; end that agent, or see to what is there`, cause),
  )
  const sessions = new Set<PluginSession>()
  const told = new Sparingly(tellAgainAfter)
  const server = createServer((connection) => {
    const session = new PluginSession(connection, mount, { log, told })
    sessions.add(session)
    connection.once('close', () => sessions.delete(session))
  })
  server.maxConnections = connectionsAtMost
  server.on('drop', () => {
    if (told.isDue('drop')) {
      log.warn({ socket }, `${connectionsAtMost} connections are open at ${socket}; more are closed at once`)
    }
  })
  await listenWithUmask(server, socket, socketUmask).catch((cause: unknown) => {
    throw cannotListen(
      `${systemCode(cause) ?? messageOf(cause)}: the agent's user must be able to make it in ${folder}`,
      cause,
    )
  })
  try {
    giveToGroup(socket, groupId, cannotListen)
  } catch (error) {
    server.close()
    throw error
  }
  return {
    socket,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const session of sessions) session.end()
      await closed
    },
  }
}

interface FolderOptions {
  readonly directory: string
  readonly folder: string
  readonly groupId: number
}

/** At no moment anybody else than the group can enter. */
function makeFolder(options: FolderOptions, cannotListen: CannotListen): void {
  const { directory, folder, groupId } = options
  requireParent(directory, cannotListen)
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found !== undefined) requireOurs(found, options, cannotListen)
  try {
    if (found === undefined) mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    throw cannotListen(
      `cannot make ${folder} (${systemCode(cause) ?? messageOf(cause)}): ${directory} must be writable for the agent's user`,
      cause,
    )
  }
  const { uid, gid, mode } = lstatSync(folder)
  if (gid === groupId && (mode & 0o777) === folderMode) return
  if (!isUs(uid)) {
    throw cannotListen(
      `${folder} is another user's and not of group ${groupId} with mode 0710: make it so, or remove it`,
    )
  }
  chmodSync(folder, 0o700)
  giveToGroup(folder, groupId, cannotListen)
  chmodSync(folder, folderMode)
}

function giveToGroup(path: string, groupId: number, cannotListen: CannotListen): void {
  const { uid, gid } = lstatSync(path)
  if (gid === groupId) return
  try {
    chownSync(path, uid, groupId)
  } catch (cause) {
    throw cannotListen(
      `the agent's user may not give ${path} to group ${groupId} (${systemCode(cause) ?? messageOf(cause)}): add that user to the group, or set group in [plugin-listener]`,
      cause,
    )
  }
}

function requireParent(directory: string, cannotListen: CannotListen): void {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found === undefined) {
    throw cannotListen(
      `${directory} is not there: make it, for the agent's user and writable for no other (in systemd's unit: RuntimeDirectory=strongroom)`,
    )
  }
  if (!found.isDirectory()) throw cannotListen(`${directory} is no directory`)
  // Who owns it could put a folder of his own in the place of ours, and hand MariaDB other keys.
  if (!isUs(found.uid) && found.uid !== 0) {
    throw cannotListen(
      `${directory} belongs to user ${found.uid}, neither to the agent's nor to root: give it to the agent's user (chown)`,
    )
  }
  if ((found.mode & othersMayWrite) !== 0 && (found.mode & sticky) === 0) {
    throw cannotListen(`every user may write to ${directory}: take that right away (chmod o-w ${directory})`)
  }
}

function requireOurs(found: Stats, { folder }: FolderOptions, cannotListen: CannotListen): void {
  if (!found.isDirectory()) throw cannotListen(`${folder} is no directory: remove it`)
  if (!isUs(found.uid) && found.uid !== 0) {
    throw cannotListen(
      `${folder} belongs to user ${found.uid}, neither to the agent's nor to root: remove it, or see who made it`,
    )
  }
  if ((found.mode & othersMayDo) !== 0) {
    throw cannotListen(`every user may enter ${folder}: take that right away (chmod o= ${folder})`)
  }
}

function isUs(uid: number): boolean {
  return uid === process.geteuid?.()
}
