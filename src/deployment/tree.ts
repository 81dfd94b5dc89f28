import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { StrongroomError, systemCode } from '../errors.ts'

/**
 * The machine, or another one's files under a folder: an image that is being made. Paths are those that the machine itself
 * would use; symbolic links are followed as it would follow them, and never lead out of the folder.
 */
export class Tree {
  readonly root: string

  constructor(root = '/') {
    this.root = resolve(root)
  }

  get isOurs(): boolean {
    return this.root === '/'
  }

  /** Where the thing of that path lies. What is not there yet may be made there. Throws SR_DEPLOY_IMPOSSIBLE on a loop of links. */
  place(path: string): string {
    let waiting = parts(path)
    let found: string[] = []
    let links = 0
    while (waiting.length > 0) {
      const [name = '', ...rest] = waiting
      waiting = rest
      if (name === '..') found = found.slice(0, -1)
      else {
        const target = linkTarget(join(this.root, ...found, name))
        if (target === undefined) found = [...found, name]
        else {
          links += 1
          if (links > longestChain)
            throw new StrongroomError('SR_DEPLOY_IMPOSSIBLE', `${path}: its symbolic links lead nowhere`)
          if (target.startsWith('/')) found = []
          waiting = [...parts(target), ...rest]
        }
      }
    }
    return join(this.root, ...found)
  }

  /** undefined: nothing is there. Throws the system's error where that can't be told. */
  look(path: string): Stats | undefined {
    try {
      return lstatSync(this.place(path))
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw error
    }
  }

  /** To what the link of that path leads, as it says; undefined: there is no link. */
  linkAt(path: string): string | undefined {
    return linkTarget(join(this.place(dirname(path)), basename(path)))
  }

  /** undefined: nothing is there. Throws the system's error where it can't be read. */
  read(path: string): Buffer | undefined {
    try {
      return readFileSync(this.place(path))
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw error
    }
  }
}

/** As in Linux (path_resolution(7)). */
const longestChain = 40

function parts(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function linkTarget(place: string): string | undefined {
  try {
    return readlinkSync(place)
  } catch (error) {
    // EINVAL: it is no link.
    if (isAbsence(error) || systemCode(error) === 'EINVAL') return undefined
    throw error
  }
}

function isAbsence(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
