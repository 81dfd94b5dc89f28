import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { StrongroomError, systemCode } from '../../errors.ts'
import { replaceFile } from '../durable-file.ts'
import { systemReason } from '../system-reason.ts'
import { kmsSealShape } from './kms.ts'
import { passphraseSealShape } from './passphrase.ts'
import type { RootKey } from './root-key.ts'
import { systemdSealShape } from './systemd.ts'

const format = 'strongroom sealed root key 1'

const sealShape = z.discriminatedUnion('kind', [passphraseSealShape, systemdSealShape, kmsSealShape])
const fileShape = z.strictObject({
  format: z.literal(format),
  serviceId: z.string(),
  seal: sealShape,
  /** Of all the rest, by the root key: what is stored here in the clear can't be altered unseen. */
  tag: z.base64(),
})

export type StoredSeal = z.infer<typeof sealShape>
export type SealFile = z.infer<typeof fileShape>

/** Makes the content of `root-key.json`. */
export function sealFileOf(seal: StoredSeal, serviceId: string, rootKey: RootKey): SealFile {
  const tag = rootKey.tag(format, untagged(seal, serviceId))
  return { format, serviceId, seal, tag: tag.toString('base64') }
}

/** Whether nothing in the file was altered since it was made; it takes the root key to tell. */
export function isUnaltered({ seal, serviceId, tag }: SealFile, rootKey: RootKey): boolean {
  return rootKey.isTag(Buffer.from(tag, 'base64'), format, untagged(seal, serviceId))
}

/** Puts the file in the place of the one before; a crash leaves one of the two. */
export function writeSealFile(path: string, file: SealFile): void {
  replaceFile(path, Buffer.from(`${JSON.stringify(file, undefined, 2)}\n`, 'utf8'), 0o600)
}

export function readSealFile(path: string): SealFile {
  const { success, data } = fileShape.safeParse(parse(readText(path)))
  if (success) return data
  throw notASeal(path, undefined)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT'
    throw new StrongroomError(
      missing ? 'SR_KMS_ROOT_KEY_MISSING' : 'SR_KMS_SEAL',
      missing
        ? `${path} is missing: without it no key in the database can be opened; bring it back from a backup`
        : `cannot read ${path} (${systemReason(error)}): it must belong to the service's user`,
      { cause: error },
    )
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notASeal(path: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_KMS_SEAL',
    `${path} is not the seal of a root key that this release knows: bring it back from a backup`,
    { cause },
  )
}

/** Always the same bytes for the same values, in whatever order the file has them. */
function untagged(seal: StoredSeal, serviceId: string): Buffer {
  const flat = Object.entries({ ...seal, ...('argon2id' in seal ? seal.argon2id : {}), serviceId })
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(JSON.stringify(flat), 'utf8')
}
