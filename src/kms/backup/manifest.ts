import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import { writeNewSecretFile } from '../durable-file.ts'
import { sealKinds } from '../seal/seal.ts'
import { systemReason } from '../system-reason.ts'

const manifestName = 'manifest.json'
const format = 'strongroom kms backup 1'

const manifestShape = z.strictObject({
  format: z.literal(format),
  madeAt: z.iso.datetime(),
  serviceId: z.string(),
  seal: z.enum(sealKinds),
  /** Whether the root key itself is in the backup, in the clear. */
  rootKeyIncluded: z.boolean(),
  /** The last record of the audit trail that the database knows to be on disk. */
  auditTrailHead: z.strictObject({ sequence: z.number(), hash: z.string() }),
  /** Rows by table. */
  rows: z.record(z.string(), z.int().min(0)),
  /** SHA-256 of every other file of the backup. */
  files: z.record(
    z.string().regex(/^[a-z][a-z0-9.-]*$/, 'names a file of a backup'),
    z.string().regex(/^[0-9a-f]{64}$/),
  ),
})

export type Manifest = z.infer<typeof manifestShape>

/** It is written last: a directory without it is no backup. */
export function writeManifest(directory: string, manifest: Omit<Manifest, 'format'>): void {
  const text = JSON.stringify({ format, ...manifest }, undefined, 2)
  writeNewSecretFile(join(directory, manifestName), Buffer.from(`${text}\n`, 'utf8'))
}

/** Throws SR_KMS_BACKUP when it is missing or not understood, or when a file is missing or not as it was written. */
export async function readCheckedManifest(directory: string): Promise<Manifest> {
  const manifest = readManifest(join(directory, manifestName))
  for (const [name, digest] of Object.entries(manifest.files)) {
    if ((await digestOf(join(directory, name))) === digest) continue
    throw new StrongroomError(
      'SR_KMS_BACKUP',
      `${join(directory, name)} is not as it was when the backup was made: take another backup`,
    )
  }
  return manifest
}

function readManifest(path: string): Manifest {
  const { success, data } = manifestShape.safeParse(parse(path))
  if (success) return data
  throw new StrongroomError(
    'SR_KMS_BACKUP',
    `${path} is not the manifest of a backup that this release knows: name the directory of a whole backup`,
  )
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw unreadable(path, error)
  }
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(Buffer.from(chunk))
  } catch (error) {
    throw unreadable(path, error)
  }
  return hash.digest('hex')
}

function unreadable(path: string, cause: unknown): StrongroomError {
  return new StrongroomError('SR_KMS_BACKUP', `cannot read ${path} (${systemReason(cause)})`, { cause })
}
