import { resolve } from 'node:path'
import { defaultStateDirectory } from '../../../master-key-window/state-directory.ts'

/** The watchdog is told it too, so it is absolute. Throws SR_USAGE. */
export function stateDirectoryFrom(option: string | undefined): string {
  return option === undefined ? defaultStateDirectory() : resolve(option)
}
