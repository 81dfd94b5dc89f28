import { mkdirSync, type Stats, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from '../durable-file.ts'
import { messageOf, StrongroomError } from '../errors.ts'
import { grant } from './access-list.ts'
import { type Ids, linkDurably, own, writeDurably } from './durable-write.ts'
import type { Difference, Host } from './difference.ts'
import { untrustedFolder } from './obstacles.ts'
import { type Access, type Account, type File, nameOf, type Piece } from './piece.ts'
import { backupEnding, ownMark } from './places.ts'
import { isOurPlugin } from './plugin-source.ts'
import { runSystemProgram } from './system-programs.ts'

/**
 * Puts right what differs, one piece after the other; `done` is told of each. Each is whole, or as it was before: after a crash
 * the same again does the rest. Throws SR_DEPLOY_FAILED and SR_DEPLOY_IMPOSSIBLE.
 */
export function apply(
  host: Host,
  differences: readonly Difference[],
  done: (piece: Piece) => void = () => undefined,
): void {
  requireUnchanged(host, differences)
  const pieces = new Set(differences.filter(({ remedy }) => remedy === undefined).map(({ piece }) => piece))
  for (const piece of pieces) {
    try {
      put(host, piece)
    } catch (error) {
      if (error instanceof StrongroomError) throw error
      throw new StrongroomError(
        'SR_DEPLOY_FAILED',
        `cannot put ${nameOf(piece)} right: ${messageOf(error)}`,
        {
          cause: error,
        },
      )
    }
    done(piece)
  }
}

/** The question may have waited for hours, and another administrator may have had the file open. */
function requireUnchanged({ tree }: Host, differences: readonly Difference[]): void {
  for (const { piece, former } of differences) {
    if (piece.kind !== 'file' || former === undefined) continue
    const now = tree.read(piece.path)
    if (now === former.content || (now !== undefined && former.content?.equals(now) === true)) continue
    throw new StrongroomError(
      'SR_DEPLOY_FAILED',
      `${piece.path} was changed after it was looked at, and nothing was done: look again`,
    )
  }
}

function put(host: Host, piece: Piece): void {
  const { tree, accounts } = host
  switch (piece.kind) {
    case 'account':
      makeAccount(host, piece)
      return
    case 'access':
      grant(
        piece,
        accounts.userId(piece.user) ?? missing('user', piece.user),
        tree.place(piece.path),
        (found) => {
          requireTheirs(host, piece, found)
        },
      )
      return
    case 'link':
      makeFolders(host, dirname(piece.path))
      linkDurably(tree.entry(piece.path), piece.target)
      return
    case 'no-file':
      keepCopy(host, piece.path, 0o777)
      unlinkSync(tree.entry(piece.path))
      syncDirectory(dirname(tree.entry(piece.path)))
      return
    case 'secret-file':
      own(tree.place(piece.path), idsOf(host, piece))
      return
    case 'directory':
      makeFolders(host, dirname(piece.path))
      // At no moment anybody else can enter.
      if (tree.look(piece.path) === undefined) mkdirSync(tree.place(piece.path), { mode: 0o700 })
      own(tree.place(piece.path), idsOf(host, piece))
      syncDirectory(dirname(tree.place(piece.path)))
      return
    case 'file':
      putFile(host, piece)
  }
}

function putFile(host: Host, piece: File): void {
  if (piece.content === undefined) return
  makeFolders(host, dirname(piece.path))
  if (piece.keepsFormer !== true && host.tree.read(piece.path)?.equals(piece.content) === false)
    keepCopy(host, piece.path, piece.mode)
  writeDurably(host.tree.place(piece.path), piece.content, idsOf(host, piece))
}

/** What was root's in a place that is not root's alone is none of the database's. */
function requireTheirs(host: Host, { path }: Access, { uid }: Stats): void {
  if (!host.ownersCount || uid !== 0 || untrustedFolder(host, path) === undefined) return
  throw new StrongroomError('SR_DEPLOY_FAILED', `${path} was changed after it was looked at: look again`)
}

/**
 * Of a file that somebody else wrote, once: the first copy is what undoing needs. It may hold a secret, so nobody may more with it than
 * `widest`.
 */
function keepCopy({ tree }: Host, path: string, widest: number): void {
  const content = tree.read(path)
  const found = tree.look(path)
  const copy = `${path}${backupEnding}`
  if (
    content === undefined ||
    found === undefined ||
    tree.look(copy) !== undefined ||
    content.includes(ownMark) ||
    (content.includes(0) && isOurPlugin(content))
  )
    return
  writeDurably(tree.place(copy), content, {
    owner: found.uid,
    group: found.gid,
    mode: found.mode & widest,
  })
}

function makeAccount({ tree, accounts }: Host, { name, sysusers }: Account): void {
  const root = tree.isOurs ? [] : [`--root=${tree.root}`]
  const { status, stderr } = runSystemProgram('systemd-sysusers', [...root, '-'], { input: sysusers })
  if (status === 0 && accounts.userId(name) !== undefined) return
  throw new StrongroomError(
    'SR_DEPLOY_FAILED',
    `systemd-sysusers did not make the user ${name}: ${stderr.trim()}`,
  )
}

/** Folders that belong to the system. */
function makeFolders({ tree }: Host, path: string): void {
  mkdirSync(tree.place(path), { recursive: true, mode: 0o755 })
}

function idsOf(
  { accounts, ownersCount }: Host,
  { owner, group, mode }: { readonly owner: string; readonly group: string; readonly mode: number },
): Ids {
  if (!ownersCount) return { owner: undefined, group: undefined, mode }
  return {
    owner: accounts.userId(owner) ?? missing('user', owner),
    group: accounts.groupId(group) ?? missing('group', group),
    mode,
  }
}

function missing(what: string, name: string): never {
  throw new StrongroomError(
    'SR_DEPLOY_IMPOSSIBLE',
    `there is no ${what} ${name}; the packages of MariaDB and systemd make those that are needed`,
  )
}
