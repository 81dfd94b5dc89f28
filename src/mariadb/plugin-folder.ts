import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { findProgram } from './programs.ts'

/**
 * Makes a folder that holds all plugins of the installed server and one more: a server has one folder for plugins, and that of
 * the package is not ours to write to.
 */
export function makePluginFolder(folder: string, plugin: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const installed = installedPluginFolder()
  for (const name of readdirSync(installed)) {
    if (name !== basename(plugin)) symlinkSync(join(installed, name), join(folder, name))
  }
  // A copy, for the server's user may not be able to reach the original.
  const copy = join(folder, basename(plugin))
  copyFileSync(plugin, copy)
  chmodSync(copy, 0o644)
}

function installedPluginFolder(): string {
  const { stdout } = spawnSync(findProgram('mariadbd'), ['--no-defaults', '--verbose', '--help'], {
    encoding: 'utf8',
  })
  const folder = /^plugin-dir +(\S+)$/m.exec(stdout)?.[1]
  if (folder === undefined)
    throw new StrongroomError('SR_MARIADB_PLACE', 'mariadbd --verbose --help does not name its plugin-dir')
  return folder
}
