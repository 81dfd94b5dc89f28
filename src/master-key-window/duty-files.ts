import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf, StrongroomError, systemCode } from '../errors.ts'
import { type DutyRecord, dutyRecord } from './duty-record.ts'

const nameForm = /^[0-9a-f]{16}\.json$/

export function newDutyId(): string {
  return randomBytes(8).toString('hex')
}

/** The duties that are written down in a directory, one a file. */
export class DutyFiles {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  pathOf(id: string): string {
    return join(this.directory, `${id}.json`)
  }

  /** On disk, with its name, when this resolves. Throws SR_WINDOW_DUTY. */
  async write(record: DutyRecord): Promise<void> {
    try {
      const made = await makeDirectories(this.directory)
      await requireOurs(this.directory)
      await this.#replace(record)
      await syncDirectory(this.directory)
      if (made !== undefined) await syncParents(this.directory, made)
    } catch (error) {
      throw new StrongroomError(
        'SR_WINDOW_DUTY',
        `nothing is opened, for what has to be closed again can't be written down in ${this.directory} (${systemCode(error) ?? messageOf(error)}): see to it, or name another directory with --state-directory`,
        { cause: error },
      )
    }
  }

  /** Says in the file how it stands. Where that can't be written, what was written before still says what is to be done. */
  async update(record: DutyRecord): Promise<void> {
    await this.#replace(record).catch(() => undefined)
  }

  async has(id: string): Promise<boolean> {
    return (await this.#names()).includes(`${id}.json`)
  }

  async remove(id: string): Promise<void> {
    await unlink(this.pathOf(id)).catch(() => undefined)
  }

  /** What can't be read is told of by its path. Throws SR_WINDOW_DUTY. */
  async list(): Promise<{ records: DutyRecord[]; unreadable: string[] }> {
    const records: DutyRecord[] = []
    const unreadable: string[] = []
    for (const name of await this.#names()) {
      const path = join(this.directory, name)
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (systemCode(error) === 'ENOENT') return undefined
        return ''
      })
      if (text === undefined) continue
      const record = parse(text)
      if (record === undefined) unreadable.push(path)
      else records.push(record)
    }
    return { records, unreadable }
  }

  async #names(): Promise<string[]> {
    try {
      await requireOurs(this.directory)
      return (await readdir(this.directory)).filter((name) => nameForm.test(name))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw new StrongroomError(
        'SR_WINDOW_DUTY',
        `cannot look in ${this.directory} for what earlier windows left open (${systemCode(error) ?? messageOf(error)})`,
        { cause: error },
      )
    }
  }

  /** Synced each time: else a crash may leave an empty file in the place of what has to be closed. */
  async #replace(record: DutyRecord): Promise<void> {
    const path = this.pathOf(record.id)
    const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await unlink(temporary).catch(() => undefined)
      throw error
    }
  }
}

function parse(text: string): DutyRecord | undefined {
  try {
    return dutyRecord.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** The uppermost that was made; undefined: all were there. Node.js's own way never ends below /proc (`recursive`). */
async function makeDirectories(directory: string): Promise<string | undefined> {
  try {
    await mkdir(directory, { mode: 0o700 })
    return directory
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined
    const parent = dirname(directory)
    if (systemCode(error) !== 'ENOENT' || parent === directory) throw error
    const made = await makeDirectories(parent)
    await mkdir(directory, { mode: 0o700 })
    return made ?? directory
  }
}

/** Who may write there could have a key disabled, or keep one from it. */
async function requireOurs(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory)
  if ([0, process.getuid?.()].includes(uid) && (mode & 0o022) === 0) return
  throw new Error(`it is another user's, or others may write there: its mode has to be 0700`)
}

/** Of a directory and those above it, as far as they were made just now. */
async function syncParents(directory: string, firstMade: string): Promise<void> {
  for (let made = directory; made.length >= firstMade.length; made = dirname(made))
    await syncDirectory(dirname(made))
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
