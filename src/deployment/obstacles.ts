import { lstatSync, type Stats } from 'node:fs'
import { type Comparison, type Host, isDenial, isDifference } from './difference.ts'
import { nameOf, type Piece } from './piece.ts'

/** What lies in a piece's place and is something else, such as the link to /dev/null by which systemd masks a unit. */
export function wrongKinds({ tree }: Host, pieces: readonly Piece[]): string[] {
  return pieces.flatMap((piece) => {
    try {
      const wrong = wrongKind(piece)
      return wrong === undefined ? [] : [`${nameOf(piece)} ${wrong}: move it away`]
    } catch (error) {
      // It will be among what is not checked.
      if (isDenial(error)) return []
      throw error
    }
  })

  function wrongKind(piece: Piece): string | undefined {
    switch (piece.kind) {
      case 'account':
        return undefined
      case 'file':
      case 'secret-file':
        return tree.look(piece.path)?.isFile() === false ? 'leads to something that is no file' : undefined
      case 'directory':
      case 'access':
        return tree.look(piece.path)?.isDirectory() === false ? 'is no directory' : undefined
      case 'no-file':
        return tree.lookAtEntry(piece.path)?.isDirectory() === true ? 'is a directory' : undefined
      case 'link':
        return tree.lookAtEntry(piece.path)?.isSymbolicLink() === false ? 'is no link' : undefined
    }
  }
}

/**
 * Where root would write, and another user decides what lies there: by a link it would be led to any file of the system. Nothing is
 * such a place for who is not root, and writes with no more rights than its own.
 */
export function unsafeWays(host: Host, comparisons: readonly Comparison[]): string[] {
  if (!host.ownersCount) return []
  const pieces = new Set(comparisons.filter(isDifference).map(({ piece }) => piece))
  return [...pieces].flatMap((piece) => {
    if (piece.kind === 'account') return []
    const folder = untrustedFolder(host, piece.path)
    // An access list is given to the very folder that was looked at: what is not root's, its owner may open up as well.
    if (folder === undefined || (piece.kind === 'access' && host.tree.look(piece.path)?.uid !== 0)) return []
    return [
      `${piece.path}: others than root can write in ${folder}, so that root must not write there: make it root's (chown root, chmod go-w), or name another place`,
    ]
  })
}

/** On the way to the path; undefined: root alone decides where it leads. */
export function untrustedFolder({ tree }: Host, path: string): string | undefined {
  return tree.foldersOnTheWay(path).find((folder) => {
    const found = lstatSync(folder, { throwIfNoEntry: false })
    return found !== undefined && isWritableByOthers(found)
  })
}

function isWritableByOthers({ uid, gid, mode }: Stats): boolean {
  return uid !== 0 || (mode & 0o002) !== 0 || (gid !== 0 && (mode & 0o020) !== 0)
}
