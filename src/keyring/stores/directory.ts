import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError, messageOf, systemCode } from '../../errors.ts'
import { forEachBounded } from '../bounded.ts'
import type { KeyName } from '../data-key.ts'
import { type Manifest, manifestFileName, parseManifest, serialiseManifest } from '../manifest.ts'
import type { Store, StoreContents } from '../store.ts'
import {
  byKeyName,
  keyFileName,
  maxCiphertextLength,
  parseKeyFileName,
  type WrappedKey,
} from '../wrapped-key.ts'
import { readBounded } from './bounded-read.ts'
import { createFile, removeLeftovers, replaceFile, syncDirectory } from './durable-file.ts'

const openFilesAtOnce = 32

/** Far more than the entries of every key that a server could use. */
const longestManifest = 64 * 1024 * 1024

/**
 * Keeps a keyring in a directory, by default MariaDB's data directory, under the file names of MariaDB's own AWS
 * plugin. The directory must exist: making it is the database's affair.
 */
export class DirectoryStore implements Store {
  readonly location: string
  readonly #dataDirectory: string
  readonly #manifestPath: string
  /** A name in the directory may not be durable yet: left by a sync that failed, or by a process before us. */
  #isUnsynced = true

  constructor(directory: string, dataDirectory = directory) {
    this.location = directory
    this.#dataDirectory = dataDirectory
    this.#manifestPath = join(directory, manifestFileName)
  }

  locationOf(name: KeyName): string {
    return join(this.location, keyFileName(name))
  }

  async read(): Promise<StoreContents> {
    const names = await fileNames(this.location)
    if (this.#isUnsynced) await this.#sync()
    await removeLeftovers(this.location, names)
    return await this.#contents(names)
  }

  async look(): Promise<StoreContents> {
    return await this.#contents(await fileNames(this.location))
  }

  async readKey(name: KeyName): Promise<Buffer> {
    return await readBounded(this.locationOf(name), maxCiphertextLength).catch((error: unknown) => {
      throw unreadable(this.locationOf(name), error)
    })
  }

  async writeKey(key: WrappedKey): Promise<void> {
    const path = this.locationOf(key)
    await this.#write(path, () => createFile(path, key.ciphertext))
  }

  async createManifest(manifest: Manifest): Promise<void> {
    await this.#write(this.#manifestPath, () => createFile(this.#manifestPath, bytesOf(manifest)))
  }

  async requireManifest(manifest: Manifest): Promise<void> {
    const found = await this.#readManifest()
    if (serialiseManifest(found) === serialiseManifest(manifest)) return
    throw new StrongroomError(
      'SR_STORE_CHANGED',
      `${this.#manifestPath} was replaced by somebody else meanwhile; the directory is looked at anew`,
    )
  }

  async replaceManifest(manifest: Manifest, former: Manifest): Promise<void> {
    const isFormer = () => this.requireManifest(former)
    await this.#write(this.#manifestPath, () => replaceFile(this.#manifestPath, bytesOf(manifest), isFormer))
  }

  /**
   * InnoDB's system tablespace, its redo log or a table of the `mysql` schema. Not the mere presence of files:
   * `mariadb-install-db` makes folders, and Aria its control file, before the first key is asked for.
   */
  async holdsData(): Promise<boolean> {
    const names = await fileNames(this.#dataDirectory)
    if (names.includes('ibdata1') || names.includes('ib_logfile0')) return true
    const tables = names.includes('mysql') ? await fileNames(join(this.#dataDirectory, 'mysql')) : []
    return tables.some((table) => /\.(frm|ibd|MAI|MYI)$/.test(table))
  }

  async changeMark(): Promise<string | undefined> {
    const marks = [await markOf(this.location), await markOf(this.#manifestPath)]
    return marks[0] === undefined ? undefined : marks.join(' ')
  }

  async #contents(names: readonly string[]): Promise<StoreContents> {
    const manifest = names.includes(manifestFileName) ? await this.#readManifest() : undefined
    const wrappedKeys: WrappedKey[] = []
    const unreadable: (KeyName & { error: StrongroomError })[] = []
    await forEachBounded(names, openFilesAtOnce, async (fileName) => {
      const name = parseKeyFileName(fileName)
      if (name === undefined) return
      try {
        wrappedKeys.push({ ...name, ciphertext: await this.readKey(name) })
      } catch (error) {
        if (!(error instanceof StrongroomError)) throw error
        unreadable.push({ ...name, error })
      }
    })
    return { manifest, wrappedKeys: wrappedKeys.sort(byKeyName), unreadable: unreadable.sort(byKeyName) }
  }

  async #readManifest(): Promise<Manifest> {
    const bytes = await readBounded(this.#manifestPath, longestManifest).catch((error: unknown) => {
      throw unreadable(this.#manifestPath, error)
    })
    return parseManifest(bytes.toString('utf8'), this.#manifestPath)
  }

  async #write(path: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (error instanceof StrongroomError) throw error
      throw systemCode(error) === 'EEXIST' ? taken(path, error) : unwritable(path, error)
    }
    this.#isUnsynced = true
    await this.#sync()
  }

  async #sync(): Promise<void> {
    try {
      await syncDirectory(this.location)
    } catch (error) {
      throw unwritable(this.location, error)
    }
    this.#isUnsynced = false
  }
}

function bytesOf(manifest: Manifest): Buffer {
  return Buffer.from(serialiseManifest(manifest))
}

async function fileNames(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    throw unreadable(directory, error)
  })
}

/** undefined: it can't be told, or there is nothing. */
async function markOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return `${ino}.${size}.${mtimeNs}.${ctimeNs}`
  } catch {
    return undefined
  }
}

function taken(path: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_KEY_FILE_EXISTS',
    `cannot create ${path}: it exists already, and what is stored is never overwritten`,
    { cause },
  )
}

function unreadable(path: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_STORE_UNREADABLE',
    `cannot read ${path} (${systemCode(cause) ?? messageOf(cause)}): it must be a file of its own that the agent's user may read`,
    { cause },
  )
}

function unwritable(path: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_STORE_WRITE_FAILED',
    `cannot write ${path} (${systemCode(cause) ?? messageOf(cause)}): see that the agent's user may write to the directory and that the disk is not full`,
    { cause },
  )
}
