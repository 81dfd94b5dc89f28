import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleAccount, exampleRegion } from '../src/cli/demo/kms-setup.ts'
import { forEachBounded } from '../src/keyring/bounded.ts'
import {
  contextFor,
  fingerprint,
  type IssuedKey,
  manifestFileName,
  newManifest,
  serialiseManifest,
  withIssued,
} from '../src/keyring/manifest.ts'
import { type EncryptionContext, keyFileName } from '../src/keyring/wrapped-key.ts'

export const stubMasterKey = `arn:aws:kms:${exampleRegion}:${exampleAccount}:key/00000000-0000-4000-8000-000000000000`
export const stubPlaintextLength = 32

/** What AWS KMS makes of 32 bytes. */
const ciphertextLength = 184

export interface StoredKeysOptions {
  readonly directory: string
  readonly keys: number
  readonly masterKeyArn?: string
  /** By default, for the stub KMS: any bytes, of which the last 32 are the plaintext. */
  readonly wrap?: (context: EncryptionContext | undefined) => Promise<Buffer>
}

/** Fills a directory as a running agent leaves it: the files of keys 1 to `keys`, and the manifest that lists them. */
export async function writeStoredKeys(options: StoredKeysOptions): Promise<void> {
  const { directory, keys, masterKeyArn = stubMasterKey, wrap = randomCiphertext } = options
  const manifest = newManifest('bound')
  const issued: IssuedKey[] = []
  const keyIds = Array.from({ length: keys }, (_, index) => index + 1)
  await forEachBounded(keyIds, 32, async (keyId) => {
    const name = { keyId, version: 1 }
    const ciphertext = await wrap(contextFor(manifest, name))
    writeFileSync(join(directory, keyFileName(name)), ciphertext)
    issued.push({ ...name, masterKey: masterKeyArn, sha256: fingerprint(ciphertext) })
  })
  writeFileSync(join(directory, manifestFileName), serialiseManifest(withIssued(manifest, issued)))
}

function randomCiphertext(): Promise<Buffer> {
  return Promise.resolve(randomBytes(ciphertextLength))
}
