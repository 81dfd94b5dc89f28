import { constants, lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
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
    return this.#follow(path).place
  }

  /** Where the name itself lies, be it a link. */
  entry(path: string): string {
    return join(this.place(dirname(path)), basename(path))
  }

  /** The folders whose entries say where the path leads, as far as they are there: who may write in one of them decides it. */
  foldersOnTheWay(path: string): string[] {
    return this.#follow(path).folders
  }

  #follow(path: string): { place: string; folders: string[] } {
    const folders = new Set<string>()
    let waiting = parts(path)
    let found: string[] = []
    let links = 0
    while (waiting.length > 0) {
      const [name = '', ...rest] = waiting
      waiting = rest
      if (name === '..') found = found.slice(0, -1)
      else {
        const folder = join(this.root, ...found)
        folders.add(folder)
        const target = linkTarget(join(folder, name))
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
    return { place: join(this.root, ...found), folders: [...folders] }
  }

  /** undefined: nothing is there. Throws the system's error where that can't be told. */
  look(path: string): Stats | undefined {
    return statsOf(this.place(path))
  }

  /** Of the name itself, be it a link. */
  lookAtEntry(path: string): Stats | undefined {
    return statsOf(this.entry(path))
  }

  /** To what the link of that path leads, as it says; undefined: there is no link. */
  linkAt(path: string): string | undefined {
    return linkTarget(this.entry(path))
  }

  /** undefined: nothing is there. Throws the system's error where it can't be read. */
  read(path: string): Buffer | undefined {
    try {
      // A FIFO must not block us.
      return readFileSync(this.place(path), { flag: constants.O_RDONLY | constants.O_NONBLOCK })
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw error
    }
  }
}

/** As in Linux (path_resolution(7)). */
const longestChain = 40

function statsOf(place: string): Stats | undefined {
  try {
    return lstatSync(place)
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

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
