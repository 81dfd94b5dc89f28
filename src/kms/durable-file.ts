import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Writes a new file that only its owner may read, and syncs it and its directory. Throws EEXIST when it is there. */
export function writeNewSecretFile(path: string, content: Buffer): void {
  writeSynced(path, content, { flags: 'wx', mode: 0o600 })
  syncDirectory(dirname(path))
}

/** Puts a file in the place of the one of that name, if there is one: whoever looks finds the old or the new one, whole. */
export function replaceFile(path: string, content: Buffer, mode: number): void {
  const next = `${path}.new`
  rmSync(next, { force: true })
  writeSynced(next, content, { flags: 'wx', mode })
  giveToOwnerOfDirectory(next)
  renameSync(next, path)
  syncDirectory(dirname(path))
}

/** Makes a directory, and those above it that are missing, mode 0700, and syncs every directory that got an entry. */
export function makeDirectoryDurably(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  const outermost = dirname(first)
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    syncDirectory(parent)
    if (parent === outermost || parent === dirname(parent)) return
  }
}

/** A command that root runs must not leave a file behind that the service's user can't read. */
export function giveToOwnerOfDirectory(path: string): void {
  giveToOwnerOf(dirname(path), path)
}

/** Does nothing unless root runs this: nobody else may give files away. */
export function giveToOwnerOf(like: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(like)
  chownSync(path, uid, gid)
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes the creation, renaming and removal of names in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function writeSynced(path: string, content: Buffer, { flags, mode }: { flags: string; mode: number }): void {
  const file = openSync(path, flags, mode)
  try {
    let written = 0
    while (written < content.length) written += writeSync(file, content, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
