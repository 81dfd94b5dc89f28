/**
 * One thing that must be so on the database host. Pieces are put right in the order in which they are listed: what another one
 * needs comes before it. Paths are the machine's own.
 */
export type Piece = Directory | File | SecretFile | NoFile | Link | Account | Access

interface Owned {
  readonly path: string
  readonly owner: string
  readonly group: string
  readonly mode: number
}

export interface Directory extends Owned {
  readonly kind: 'directory'
  /** One that is there stays as it is: it may be somebody else's, such as /etc. */
  readonly staysAsFound?: boolean
}

export interface File extends Owned {
  readonly kind: 'file'
  /** undefined: it can't be told what must be in it, as this user may not read what it depends on. */
  readonly content: Buffer | undefined
  /** Its content is the same on every host. */
  readonly isFixed?: boolean
  /** Never shown. */
  readonly secrets?: readonly string[]
  /** What was in it before is in it still, so that no copy is kept. */
  readonly keepsFormer?: boolean
}

/** A file that somebody else fills, such as one with credentials. It is not made here. */
export interface SecretFile extends Owned {
  readonly kind: 'secret-file'
  /** How it is made. */
  readonly remedy: string
}

export interface NoFile {
  readonly kind: 'no-file'
  readonly path: string
}

export interface Link {
  readonly kind: 'link'
  readonly path: string
  readonly target: string
}

/** A system user with a group of its own of the same name. */
export interface Account {
  readonly kind: 'account'
  readonly name: string
  /** For systemd-sysusers. */
  readonly sysusers: string
}

/** What one more user may do with a folder: an entry of its access control list. */
export interface Access {
  readonly kind: 'access'
  readonly path: string
  readonly user: string
  /** `rwx` or `--x`. */
  readonly rights: string
}

export function nameOf(piece: Piece): string {
  return piece.kind === 'account' ? `user ${piece.name}` : piece.path
}
