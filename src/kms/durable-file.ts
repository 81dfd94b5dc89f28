import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a new file that only its owner may read, and syncs it and its directory. Throws EEXIST when it is there. */
export function writeNewSecretFile(path: string, content: Buffer): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    let written = 0
    while (written < content.length) written += writeSync(file, content, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
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

/** Makes the creation, renaming and removal of names in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
