import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { syncDirectory, writeNewFile } from '../durable-file.ts'
import { systemCode } from '../errors.ts'

export interface Ids {
  /** undefined: left as it comes, where we may not choose. */
  readonly owner: number | undefined
  readonly group: number | undefined
  readonly mode: number
}

/**
 * Puts a whole file in the place of what is there: a reader, and a machine that loses its power, has the old one or the new one. It has
 * its owner and mode before it has its content.
 */
export function writeDurably(place: string, content: Buffer, ids: Ids): void {
  throughDraft(place, (draft) => {
    writeNewFile(draft, content, (file) => {
      give(file, ids)
    })
  })
}

export function linkDurably(place: string, target: string): void {
  throughDraft(place, (draft) => {
    symlinkSync(target, draft)
  })
}

/** Of a file or folder that is there; never of what a link in its place leads to. */
export function own(place: string, ids: Ids): void {
  const file = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    give(file, ids)
  } finally {
    closeSync(file)
  }
}

/** Owner first: chown(2) takes special bits of the mode away. */
function give(file: number, { owner, group, mode }: Ids): void {
  if (owner !== undefined && group !== undefined) fchownSync(file, owner, group)
  fchmodSync(file, mode)
}

function throughDraft(place: string, make: (draft: string) => void): void {
  const folder = dirname(place)
  removeDrafts(folder, basename(place))
  const draft = join(folder, `.${basename(place)}${mark}${randomBytes(6).toString('hex')}`)
  try {
    make(draft)
    renameSync(draft, place)
  } catch (error) {
    remove(draft)
    throw error
  }
  syncDirectory(folder)
}

/** Hidden, and of no ending that MariaDB or systemd reads. */
const mark = '.strongroom-'

/** What a killed process left unfinished. */
function removeDrafts(folder: string, name: string): void {
  for (const found of readdirSync(folder)) {
    if (found.startsWith(`.${name}${mark}`)) remove(join(folder, found))
  }
}

function remove(draft: string): void {
  try {
    unlinkSync(draft)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
