import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { systemCode } from '../errors.ts'
import type { Accounts } from './accounts.ts'
import { grantedTo } from './access-list.ts'
import { masked } from './masking.ts'
import type { Access, Account, File, Link, Piece, SecretFile } from './piece.ts'
import { unifiedHunks } from './text-diff.ts'
import type { Tree } from './tree.ts'

/** How one piece is otherwise than it must be. No text of it holds a secret. */
export interface Difference {
  readonly piece: Piece
  /** What follows the piece's name: "has mode 0644, must have 0640". */
  readonly what: string
  /** Lines of a unified diff. */
  readonly diff: readonly string[]
  /** It can't be put right here; this is what to do. */
  readonly remedy?: string
  /** Of a file: what it held when it was looked at. */
  readonly former?: { readonly content: Buffer | undefined }
}

/** What this user may not look at. */
export interface Unseen {
  readonly piece: Piece
  readonly unseen: string
}

export type Comparison = Difference | Unseen

export function isDifference(comparison: Comparison): comparison is Difference {
  return 'what' in comparison
}

export interface Host {
  readonly tree: Tree
  readonly accounts: Accounts
  /** Whether owners can be set, and so are looked at: in a tree of our own only root can. */
  readonly ownersCount: boolean
}

/** How the host is otherwise than the pieces say: nothing is good. */
export function compare(host: Host, pieces: readonly Piece[]): Comparison[] {
  return pieces.flatMap((piece) => {
    try {
      return comparePiece(host, piece)
    } catch (error) {
      if (!isDenial(error)) throw error
      return [{ piece, unseen: `this user may not look at it (${String(systemCode(error))})` }]
    }
  })
}

/** Whether the system says that this user may not. */
export function isDenial(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(systemCode(error) ?? '')
}

function comparePiece(host: Host, piece: Piece): Comparison[] {
  switch (piece.kind) {
    case 'account':
      return compareAccount(host, piece)
    case 'access':
      return compareAccess(host, piece)
    case 'link':
      return compareLink(host, piece)
    case 'no-file':
      return host.tree.lookAtEntry(piece.path) === undefined
        ? []
        : [{ piece, what: 'is there, and must not be', diff: fileDiff(host, piece.path, undefined) }]
    case 'secret-file':
      return compareSecretFile(host, piece)
    case 'directory': {
      const found = host.tree.look(piece.path)
      if (found === undefined) return [{ piece, what: 'is missing', diff: [] }]
      return piece.staysAsFound === true ? [] : compareOwnership(host, piece, found)
    }
    case 'file':
      return compareFile(host, piece)
  }
}

function compareAccount({ accounts }: Host, piece: Account): Difference[] {
  const missing = [
    ...(accounts.userId(piece.name) === undefined ? ['user'] : []),
    ...(accounts.groupId(piece.name) === undefined ? ['group'] : []),
  ]
  return missing.length === 0 ? [] : [{ piece, what: `is missing (${missing.join(' and ')})`, diff: [] }]
}

function compareAccess({ tree, accounts }: Host, piece: Access): Comparison[] {
  const userId = accounts.userId(piece.user)
  const what = `does not grant ${piece.user} ${piece.rights} in its access list`
  if (tree.look(piece.path) === undefined) {
    const remedy = 'install MariaDB first, or name its data directory with --data-directory'
    return [{ piece, what: 'is missing', diff: [], remedy }]
  }
  if (userId === undefined) return [{ piece, what, diff: [] }]
  const { entry, effective } = grantedTo(userId, tree.place(piece.path))
  if (entry !== undefined && effective !== undefined && covers(effective, piece.rights)) return []
  const now =
    entry === undefined
      ? ''
      : entry === effective
        ? `: ${entry}`
        : `: ${entry}, of which its mask leaves ${String(effective)}`
  return [{ piece, what: `${what}${now}`, diff: [] }]
}

function covers(granted: string, wanted: string): boolean {
  return Array.from(wanted).every((right, at) => right === '-' || granted[at] === right)
}

function compareLink({ tree }: Host, piece: Link): Difference[] {
  const target = tree.linkAt(piece.path)
  if (target === piece.target) return []
  if (target === undefined) return [{ piece, what: `is missing (a link to ${piece.target})`, diff: [] }]
  return [{ piece, what: `leads to ${target}, must lead to ${piece.target}`, diff: [] }]
}

function compareSecretFile(host: Host, piece: SecretFile): Difference[] {
  const found = host.tree.look(piece.path)
  if (found === undefined) return [{ piece, what: 'is missing', diff: [], remedy: piece.remedy }]
  return compareOwnership(host, piece, found)
}

function compareFile(host: Host, piece: File): Comparison[] {
  const found = host.tree.look(piece.path)
  if (found === undefined) {
    if (piece.content === undefined) return [{ piece, unseen: 'what must be in it can only be told by root' }]
    const former = { content: undefined }
    return [{ piece, what: 'is missing', diff: fileDiff(host, piece.path, piece), former }]
  }
  const ownership = compareOwnership(host, piece, found)
  if (piece.content === undefined) {
    return [...ownership, { piece, unseen: 'what must be in it can only be told by root' }]
  }
  try {
    const former = { content: host.tree.read(piece.path) }
    if (former.content?.equals(piece.content) === true)
      return ownership.map((difference) => ({ ...difference, former }))
    const diff = fileDiff(host, piece.path, piece)
    return [{ piece, what: 'has other content', diff, former }, ...ownership]
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error
    return [...ownership, { piece, unseen: 'this user may not read it' }]
  }
}

function compareOwnership(
  { accounts, ownersCount }: Host,
  piece: Piece & { readonly owner: string; readonly group: string; readonly mode: number },
  found: Stats,
): Difference[] {
  const faults: string[] = []
  const owners = `${accounts.userName(found.uid)}:${accounts.groupName(found.gid)}`
  const wanted = `${piece.owner}:${piece.group}`
  if (ownersCount && owners !== wanted) faults.push(`belongs to ${owners}, must belong to ${wanted}`)
  const mode = found.mode & 0o7777
  if (mode !== piece.mode) faults.push(`has mode ${octal(mode)}, must have ${octal(piece.mode)}`)
  return faults.map((what) => ({ piece, what, diff: [] }))
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/** undefined: the file goes. */
function fileDiff({ tree }: Host, path: string, next: File | undefined): string[] {
  const former = tree.read(path)
  const after = next?.content
  if ([former, after].some((content) => content?.includes(0) === true)) {
    return [`Binary: ${describe(former)} becomes ${describe(after)}`]
  }
  const texts = masked(former?.toString() ?? '', after?.toString() ?? '', next?.secrets)
  return [
    `--- ${former === undefined ? '/dev/null' : path}`,
    `+++ ${next === undefined ? '/dev/null' : `${path} (${octal(next.mode)} ${next.owner}:${next.group})`}`,
    ...unifiedHunks(texts.former, texts.next),
  ]
}

function describe(content: Buffer | undefined): string {
  if (content === undefined) return 'nothing'
  return `${content.length} bytes, sha256 ${createHash('sha256').update(content).digest('hex')}`
}
