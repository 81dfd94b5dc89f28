import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { systemCode } from './errors.ts'

/** Makes a file that isn't there yet, mode 0600; all of it is on the disk then. `prepare` gets it while it is empty. */
export function writeNewFile(
  path: string,
  content: Buffer,
  prepare: (file: number) => void = () => undefined,
): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    prepare(file)
    for (let at = 0; at < content.length;) at += writeSync(file, content, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** fsync(2): a new name is durable only once its directory is. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } catch (error) {
    // Some file systems have no such thing (fsync(2), EINVAL).
    if (systemCode(error) !== 'EINVAL') throw error
  } finally {
    closeSync(directory)
  }
}
