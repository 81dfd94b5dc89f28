import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { AwsCredentials } from '../aws/access.ts'
import { syncDirectory, writeNewFile } from '../durable-file.ts'
import { messageOf, StrongroomError, systemCode } from '../errors.ts'

/** What a file for an access key holds; `unfinished`: AWS was, or was to be, asked for one. */
export type HeldCredentials =
  | { readonly state: 'absent' }
  /** `before`: the ids of the access keys that the user had then. */
  | { readonly state: 'unfinished'; readonly before: readonly string[] }
  | { readonly state: 'whole'; readonly credentials: AwsCredentials }

/**
 * A file of AWS's shared credentials form for one access key, for its owner alone. AWS shows a secret once: the file is there,
 * durably, before the key is asked for, so that an access key whose answer is lost is known for what it is.
 */
export class CredentialsFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Throws SR_PROVISION_FILE where it is there and holds something else. */
  read(): HeldCredentials {
    const text = this.#text()
    if (text === undefined) return { state: 'absent' }
    const before = new RegExp(`^${unfinished}(.*)$`, 'm').exec(text)?.[1]
    if (before !== undefined)
      return { state: 'unfinished', before: before.split(' ').filter((id) => id !== '') }
    const [accessKeyId, secretAccessKey] = ['aws_access_key_id', 'aws_secret_access_key'].map(
      (name) => new RegExp(`^${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1],
    )
    if (accessKeyId === undefined || secretAccessKey === undefined)
      throw fault(`${this.path} is there and holds no access key: it is not overwritten; name another file`)
    return { state: 'whole', credentials: { accessKeyId, secretAccessKey } }
  }

  /** Makes it, unfinished; never in the place of another. Throws SR_PROVISION_FILE. */
  begin(userName: string, before: readonly string[]): void {
    const lines = [
      `# For an access key of the IAM user ${userName}, which strongroom provision asks AWS for.`,
      '# While it says no more, that was interrupted: run it again with this file.',
      `${unfinished}${before.join(' ')}`,
    ]
    this.#do('create', () => {
      writeNewFile(this.path, textOf(lines))
      syncDirectory(dirname(this.path))
    })
  }

  /** Throws SR_PROVISION_FILE; then the secret is nowhere. */
  finish(userName: string, { accessKeyId, secretAccessKey }: AwsCredentials): void {
    const lines = [
      `# Access key of the IAM user ${userName}, by strongroom provision.`,
      '[default]',
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
    ]
    this.#do('write', () => {
      const draft = join(dirname(this.path), `.strongroom-${randomBytes(6).toString('hex')}`)
      try {
        writeNewFile(draft, textOf(lines))
        renameSync(draft, this.path)
      } catch (error) {
        unlinkIfThere(draft)
        throw error
      }
      syncDirectory(dirname(this.path))
    })
  }

  #text(): string | undefined {
    let file
    try {
      // Neither the wait for who writes to a FIFO, nor what a link leads to.
      file = openSync(this.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    } catch (error) {
      // Said before anything is made, not after.
      if (systemCode(error) === 'ENOENT' && existsSync(dirname(this.path))) return undefined
      throw fault(`cannot read ${this.path}`, error)
    }
    try {
      const { mode, size, uid } = fstatSync(file)
      if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > longest)
        throw fault(`${this.path} is no credentials file: name another`)
      // What it says decides which access keys are deleted.
      if (uid !== process.geteuid?.())
        throw fault(`${this.path} belongs to another user (${uid}): name another`)
      if ((mode & 0o077) !== 0)
        throw fault(
          `others than its owner may read or write ${this.path}: chmod 600, if the secret in it is still one`,
        )
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  }

  #do(verb: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      throw fault(`cannot ${verb} ${this.path} (${systemCode(error) ?? messageOf(error)})`, error)
    }
  }
}

const unfinished = '# unfinished; access keys before: '
const longest = 65_536

function textOf(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\n')}\n`)
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function fault(message: string, cause?: unknown): StrongroomError {
  return new StrongroomError('SR_PROVISION_FILE', message, { cause })
}
