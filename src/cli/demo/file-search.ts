import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

export interface Search {
  /** Relative to the directory. */
  readonly found: readonly string[]
  readonly searched: readonly string[]
}

/** Which files of a directory, at any depth, hold these bytes. */
export async function filesHolding(directory: string, bytes: string | Buffer): Promise<Search> {
  const searched: string[] = []
  const found: string[] = []
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    searched.push(relative(directory, path))
    if ((await readFile(path)).includes(bytes)) found.push(relative(directory, path))
  }
  return { found, searched }
}
