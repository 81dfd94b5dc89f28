import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StrongroomError, systemCode } from '../../errors.ts'
import { replaceFile, syncDirectory } from '../durable-file.ts'
import { systemReason } from '../system-reason.ts'
import { rootKeyLength } from './seal.ts'

const magic = Buffer.from('strongroom root key 1\n', 'latin1')

/** The seal that is none: the root key in a file of its own, mode 0600. Whoever reads it reads every key. */
export function writeRootKeyFile(path: string, rootKey: Buffer): void {
  const content = Buffer.concat([magic, rootKey])
  try {
    replaceFile(path, content, 0o600)
  } finally {
    content.fill(0)
  }
}

/** The root key; the caller owns the bytes and zeroes them. */
export function readRootKeyFile(path: string): Buffer {
  const content = readSecretFile(path)
  try {
    const right =
      content.length === magic.length + rootKeyLength && content.subarray(0, magic.length).equals(magic)
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

/**
 * Removes the file, and what an interruption left of making or removing it; returns whether there was any. It is
 * overwritten first, which helps where the file system writes in place.
 */
export function removeRootKeyFile(path: string): boolean {
  const old = `${path}.old`
  const left = [`${path}.new`, old].filter(existsSync)
  left.forEach(overwriteAndRemove)
  const there = existsSync(path)
  if (there) {
    // Half overwritten it must not pass for a damaged root key.
    renameSync(path, old)
    syncDirectory(dirname(path))
    overwriteAndRemove(old)
  }
  syncDirectory(dirname(path))
  return there || left.length > 0
}

function overwriteAndRemove(path: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, Buffer.alloc(statSync(path).size), 0, undefined, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  rmSync(path)
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
