import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError, messageOf, systemCode } from '../../errors.ts'
import { forEachBounded } from '../bounded.ts'
import type { KeyName } from '../data-key.ts'
import { type Manifest, manifestFileName, parseManifest, serialiseManifest } from '../manifest.ts'
import type { Store, StoreContents } from '../store.ts'
import { byKeyName, keyFileName, parseKeyFileName, type WrappedKey } from '../wrapped-key.ts'
import { createDurably, removeLeftovers, replaceDurably } from './durable-file.ts'

const openFilesAtOnce = 32

/**
 * Keeps a keyring in a directory, by default MariaDB's data directory, under the file names of MariaDB's own AWS
 * plugin. The directory must exist: making it is the database's affair.
 */
export class DirectoryStore implements Store {
  readonly location: string
  readonly #dataDirectory: string

  constructor(directory: string, dataDirectory = directory) {
    this.location = directory
    this.#dataDirectory = dataDirectory
  }

  locationOf(name: KeyName): string {
    return this.#path(keyFileName(name))
  }

  async read(): Promise<StoreContents> {
    const names = await fileNames(this.location)
    await removeLeftovers(this.location, names)
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

  async readKey(name: KeyName): Promise<Buffer> {
    return await readFile(this.locationOf(name)).catch((error: unknown) => {
      throw unreadable(this.locationOf(name), error)
    })
  }

  async writeKey(key: WrappedKey): Promise<void> {
    const path = this.locationOf(key)
    try {
      await createDurably(path, key.ciphertext)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw unwritable(path, error)
      throw new StrongroomError(
        'SR_KEY_FILE_EXISTS',
        `cannot create ${path}: it exists already, and a stored key is never overwritten`,
        { cause: error },
      )
    }
  }

  async createManifest(manifest: Manifest): Promise<void> {
    const path = this.#path(manifestFileName)
    try {
      await createDurably(path, Buffer.from(serialiseManifest(manifest)))
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  async replaceManifest(manifest: Manifest): Promise<void> {
    const path = this.#path(manifestFileName)
    try {
      await replaceDurably(path, Buffer.from(serialiseManifest(manifest)))
    } catch (error) {
      throw unwritable(path, error)
    }
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
    try {
      const directory = await stat(this.location, { bigint: true })
      return `${directory.ino}.${directory.mtimeNs}`
    } catch {
      return undefined
    }
  }

  async #readManifest(): Promise<Manifest> {
    const path = this.#path(manifestFileName)
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw unreadable(path, error)
    })
    return parseManifest(text, path)
  }

  #path(fileName: string): string {
    return join(this.location, fileName)
  }
}

async function fileNames(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    throw unreadable(directory, error)
  })
}

function unreadable(path: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_STORE_UNREADABLE',
    `cannot read ${path} (${systemCode(cause) ?? messageOf(cause)}): the agent's user must be able to read it`,
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
