import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { StrongroomError, systemCode } from '../../errors.ts'
import { writeNewSecretFile } from '../durable-file.ts'
import { systemReason } from '../system-reason.ts'
import type { Seal } from './seal.ts'

const magic = Buffer.from('strongroom root key 1\n', 'latin1')
const keyLength = 32

/** The root key in a file beside the database, mode 0600: whoever reads the directory reads every key. */
export function fileSeal(path: string): Seal {
  return {
    kind: 'file',
    exists: () => existsSync(path),
    create() {
      const key = randomBytes(keyLength)
      const content = Buffer.concat([magic, key])
      try {
        writeNewSecretFile(path, content)
      } finally {
        content.fill(0)
      }
      return key
    },
    open: () => readRootKey(path),
  }
}

function readRootKey(path: string): Buffer {
  const content = readSecretFile(path)
  try {
    const right =
      content.length === magic.length + keyLength && content.subarray(0, magic.length).equals(magic)
    if (!right) {
      throw new StrongroomError(
        'SR_KMS_ROOT_KEY_WRONG',
        `${path} is not a root key file: bring it back from a backup`,
      )
    }
    return Buffer.from(content.subarray(magic.length))
  } finally {
    content.fill(0)
  }
}

function readSecretFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new StrongroomError(
        'SR_KMS_ROOT_KEY_MISSING',
        `${path} is missing: without it no key in the database can be opened; bring it back from a backup`,
        { cause: error },
      )
    }
    throw new StrongroomError(
      'SR_KMS_ROOT_KEY_WRONG',
      `cannot read ${path} (${systemReason(error)}): it must belong to the service's user`,
      { cause: error },
    )
  }
}
