import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'
import type { SealHelp } from './seal.ts'

const credential = 'strongroom-kms-passphrase'
const shortest = 12
const longest = 1024

/**
 * The passphrase from the file that was named, else from the credential of systemd's (`LoadCredential=`), else from
 * whoever can be asked; never from an argument or the environment, which others can read. The caller zeroes it.
 */
export async function readPassphrase(purpose: 'open' | 'new', help: SealHelp): Promise<Buffer> {
  const passphrase = await find(purpose, help)
  if (purpose === 'new' && passphrase.length < shortest) {
    passphrase.fill(0)
    throw new StrongroomError(
      'SR_KMS_PASSPHRASE',
      `the passphrase is shorter than ${String(shortest)} bytes: take a longer one, for whoever copies the data ` +
        'directory can try them all',
    )
  }
  return passphrase
}

async function find(purpose: 'open' | 'new', { passphraseFile, askPassphrase }: SealHelp): Promise<Buffer> {
  const file = passphraseFile ?? credentialFile(credential)
  if (file !== undefined) return readFile(file)
  if (askPassphrase !== undefined) return await askPassphrase(purpose)
  throw new StrongroomError(
    'SR_KMS_PASSPHRASE',
    'the root key is sealed by a passphrase, and there is no terminal to ask for it: name a file by ' +
      `--passphrase-file, or give systemd's credential ${credential}`,
  )
}

/** Where systemd puts a credential of the unit (systemd.exec(5)); undefined when there is none of that name. */
export function credentialFile(name: string): string | undefined {
  const directory = process.env['CREDENTIALS_DIRECTORY']
  if (directory === undefined || directory === '') return undefined
  const file = join(directory, name)
  return existsSync(file) ? file : undefined
}

function readFile(path: string): Buffer {
  const content = Buffer.alloc(longest + 3)
  try {
    const whole = content.subarray(0, readInto(content, path))
    const passphrase = Buffer.from(withoutLineEnd(whole))
    if (passphrase.length > 0 && passphrase.length <= longest) return passphrase
    passphrase.fill(0)
  } finally {
    content.fill(0)
  }
  throw new StrongroomError(
    'SR_KMS_PASSPHRASE',
    `${path} does not hold a passphrase: it must have 1 to ${String(longest)} bytes`,
  )
}

function readInto(content: Buffer, path: string): number {
  try {
    const file = openSync(path, 'r')
    try {
      refuseOpenToAll(file, path)
      let length = 0
      for (let read = -1; read !== 0; length += read)
        read = readSync(file, content, length, content.length - length, null)
      return length
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    throw new StrongroomError('SR_KMS_PASSPHRASE', `cannot read ${path} (${systemReason(error)})`, {
      cause: error,
    })
  }
}

function refuseOpenToAll(file: number, path: string): void {
  const status = fstatSync(file)
  if (!status.isFile() || (status.mode & 0o007) === 0) return
  throw new StrongroomError(
    'SR_KMS_PASSPHRASE',
    `${path} is open to every user of this machine: chmod 600 ${path}`,
  )
}

function withoutLineEnd(content: Buffer): Buffer {
  if (content.at(-1) !== 0x0a) return content
  return content.subarray(0, content.at(-2) === 0x0d ? -2 : -1)
}
