import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { removeEmptyFolders, tracesOf } from './container.ts'

/** Removes it, and resolves when it is gone. */
export type Remove = () => Promise<void>

/**
 * A folder that is removed even where this process is killed: a shell of its own waits for that, at a pipe. It removes the traces of
 * the container that is named like the folder, too.
 */
export function scratchFolder(prefix: string): { readonly folder: string; readonly remove: Remove } {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  // What is being killed with us may still write.
  const command = `cat; for try in 1 2 3 4 5; do rm -rf "$1" && break; sleep 1; done; shift; ${removeEmptyFolders}`
  const sweeper = spawn('sh', ['-c', command, 'sh', folder, ...tracesOf(basename(folder))], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const gone = once(sweeper, 'exit')
  sweeper.unref()
  return {
    folder,
    remove: async () => {
      sweeper.ref()
      sweeper.stdin.end()
      await gone
    },
  }
}
