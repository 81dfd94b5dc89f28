import { EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { contextFor, newManifest } from '../../src/keyring/manifest.ts'
import { DirectoryStore } from '../../src/keyring/stores/directory.ts'
import type { KeyName } from '../../src/keyring/data-key.ts'

export interface Wrapping {
  readonly kms: KMSClient
  readonly masterKeyArn: string
}

/**
 * A keyring whose keys have bytes that we say: wrapped by the KMS and laid into its store as files, as any key that comes
 * from elsewhere (rule K9).
 */
export class KeyringDirectory {
  /** For agent.conf: a symbolic link, so that one keyring takes the place of another in one step. */
  readonly path: string
  readonly #wrapping: Wrapping
  #generation = 0

  constructor(path: string, wrapping: Wrapping) {
    this.path = path
    this.#wrapping = wrapping
  }

  /** Another keyring, with no key yet, in the place of the one that was there. */
  async renew(): Promise<void> {
    this.#generation += 1
    const store = `${this.path}.${this.#generation}`
    mkdirSync(store, { mode: 0o700 })
    await new DirectoryStore(store).createManifest(newManifest('bound'))
    const link = `${this.path}.next`
    symlinkSync(basename(store), link)
    renameSync(link, this.path)
  }

  /** The next version of that key id. */
  async add(keyId: number, bytes: Uint8Array): Promise<KeyName> {
    const store = new DirectoryStore(`${this.path}.${this.#generation}`)
    const { manifest, wrappedKeys } = await store.read()
    if (manifest === undefined) throw new Error(`no manifest in ${join(store.location)}`)
    const versions = wrappedKeys.filter((key) => key.keyId === keyId).map(({ version }) => version)
    const name = { keyId, version: Math.max(0, ...versions) + 1 }
    const { kms, masterKeyArn: KeyId } = this.#wrapping
    const EncryptionContext = contextFor(manifest, name)
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({
        KeyId,
        Plaintext: bytes,
        ...(EncryptionContext !== undefined && { EncryptionContext }),
      }),
    )
    if (CiphertextBlob === undefined) throw new Error('the KMS wrapped nothing')
    await store.writeKey({ ...name, ciphertext: Buffer.from(CiphertextBlob) })
    return name
  }
}
