import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { StrongroomError } from '../errors.ts'
import { type KeyName, maxKeyId, maxVersion } from './data-key.ts'
import { byKeyName, type EncryptionContext, encryptionContextOf, keyFileName } from './wrapped-key.ts'

/** It begins with `aws-kms-key` because `mariadb-backup` copies such files and no others of ours. */
export const manifestFileName = 'aws-kms-key.keyring.json'

export const keyringIdForm = /^[0-9a-f]{32}$/

const issuedKey = z.strictObject({
  keyId: z.int().min(1).max(maxKeyId),
  version: z.int().min(1).max(maxVersion),
  /** ARN of the master key that wraps it; absent until it has been unwrapped once. */
  masterKey: z.string().optional(),
  /** Of the wrapped bytes, hex; absent until they have been unwrapped once. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
})

const manifestSchema = z.strictObject({
  format: z.literal('strongroom-keyring/1'),
  id: z.string().regex(keyringIdForm),
  encryptionContext: z.enum(['bound', 'none']),
  keys: z.array(issuedKey).readonly(),
})

/** One data key version that was issued, and how its file is known again. */
export type IssuedKey = z.infer<typeof issuedKey>

/** What a keyring knows of itself beside its key files: its random id and every version ever issued. */
export type Manifest = z.infer<typeof manifestSchema>

/** The manifest of a keyring that has issued nothing yet. */
export function newManifest(
  encryptionContext: Manifest['encryptionContext'],
  id = randomBytes(16).toString('hex'),
): Manifest {
  return { format: 'strongroom-keyring/1', id, encryptionContext, keys: [] }
}

export function withIssued(manifest: Manifest, issued: readonly IssuedKey[]): Manifest {
  const keys = new Map([...manifest.keys, ...issued].map((key) => [keyFileName(key), key]))
  return { ...manifest, keys: [...keys.values()].sort(byKeyName) }
}

/** The encryption context that a key of this keyring is wrapped with; undefined where keys are not bound. */
export function contextFor(manifest: Manifest, name: KeyName): EncryptionContext | undefined {
  return manifest.encryptionContext === 'bound' ? encryptionContextOf(manifest.id, name) : undefined
}

export function fingerprint(ciphertext: Buffer): string {
  return createHash('sha256').update(ciphertext).digest('hex')
}

export function serialiseManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

/** Throws SR_MANIFEST_INVALID, which names the place and the first fault. */
export function parseManifest(text: string, where: string): Manifest {
  const manifest = manifestSchema.safeParse(parseJson(text, where))
  if (!manifest.success) {
    const [issue] = manifest.error.issues
    throw invalid(where, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a manifest'}`)
  }
  const names = new Set(manifest.data.keys.map((key) => `${key.keyId}.${key.version}`))
  if (names.size !== manifest.data.keys.length) throw invalid(where, 'keys: a version is listed twice')
  return manifest.data
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(where, 'it is not JSON')
  }
}

function invalid(where: string, fault: string): StrongroomError {
  return new StrongroomError(
    'SR_MANIFEST_INVALID',
    `cannot read the manifest ${where}: ${fault}; put back the copy from the last backup of this data directory`,
  )
}
