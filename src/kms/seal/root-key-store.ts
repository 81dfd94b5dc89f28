import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { replaceFile, syncDirectory } from '../durable-file.ts'
import { readRootKeyFile, removeRootKeyFile, writeRootKeyFile } from './file.ts'
import { unwrapByKms, wrapByKms } from './kms.ts'
import { unwrapByPassphrase, wrapByPassphrase } from './passphrase.ts'
import { RootKey } from './root-key.ts'
import type { SealHelp, SealKind, SealRequest } from './seal.ts'
import { isUnaltered, readSealFile, sealFileOf, type StoredSeal, writeSealFile } from './stored-seal.ts'
import { unwrapBySystemd, wrapBySystemd } from './systemd.ts'

/**
 * Where the root key lies in a data directory: in the clear in `root-key`, or sealed in `root-key.json`. Both are there
 * only after an interrupted change of the seal; then the sealed one holds.
 */
export class RootKeyStore {
  /** The root key in the clear. */
  readonly clearFile: string
  readonly sealedFile: string
  /** A copy of what is in `sealedFile`, for a unit file of systemd's. */
  readonly credentialFile: string

  constructor(directory: string) {
    this.clearFile = join(directory, 'root-key')
    this.sealedFile = join(directory, 'root-key.json')
    this.credentialFile = join(directory, 'root-key.credential')
  }

  /** All that can lie in a directory, finished or not. */
  get paths(): readonly string[] {
    return [this.clearFile, this.sealedFile, this.credentialFile].flatMap((path) => [
      path,
      `${path}.new`,
      `${path}.old`,
    ])
  }

  /** Whether there is a root key, readable or not. */
  exists(): boolean {
    return existsSync(this.clearFile) || existsSync(this.sealedFile)
  }

  /** The file that a root key comes from; what an error names. */
  get file(): string {
    return existsSync(this.sealedFile) ? this.sealedFile : this.clearFile
  }

  kind(): SealKind {
    return existsSync(this.sealedFile) ? readSealFile(this.sealedFile).seal.kind : 'file'
  }

  /**
   * The root key of the service. Throws a StrongroomError that says what to do; it never makes a new root key where
   * the old one is missing.
   */
  async open(serviceId: string, help: SealHelp): Promise<RootKey> {
    if (!existsSync(this.sealedFile)) return new RootKey(readRootKeyFile(this.clearFile))
    const file = readSealFile(this.sealedFile)
    if (file.serviceId !== serviceId) throw this.#foreign()
    const rootKey = new RootKey(await unwrap(file.seal, serviceId, help))
    if (isUnaltered(file, rootKey)) return rootKey
    rootKey.zero()
    throw new StrongroomError(
      'SR_KMS_ROOT_KEY_WRONG',
      `${this.sealedFile} was altered, or what opened it gave another root key: bring it back from a backup`,
    )
  }

  /**
   * Keeps the root key under a new seal, durably. What was there stays there until the new one has been opened; a
   * crash at any moment leaves one of the two. The old one in the clear is removed last.
   */
  async keep(rootKey: RootKey, serviceId: string, request: SealRequest, help: SealHelp): Promise<void> {
    const bytes = rootKey.copy()
    try {
      if (request.kind === 'file') {
        this.#keepInTheClear(bytes)
        return
      }
      const seal = await wrap(bytes, serviceId, request, help)
      await this.#requireOpens(seal, { bytes, serviceId, help })
      if (seal.kind === 'systemd') replaceFile(this.credentialFile, Buffer.from(seal.credential), 0o600)
      writeSealFile(this.sealedFile, sealFileOf(seal, serviceId, rootKey))
      removeRootKeyFile(this.clearFile)
      if (seal.kind !== 'systemd') rmSync(this.credentialFile, { force: true })
    } finally {
      bytes.fill(0)
    }
  }

  /**
   * After a change of the seal that was interrupted: removes what is left of the root key in the clear. Only once the
   * sealed one was opened, and the database found to be its own.
   */
  finishInterruptedChange(rootKey: RootKey): boolean {
    if (!existsSync(this.sealedFile)) return false
    if (!existsSync(this.clearFile)) return removeRootKeyFile(this.clearFile)
    const bytes = rootKey.copy()
    const left = readRootKeyFile(this.clearFile)
    const same = left.equals(bytes)
    bytes.fill(0)
    left.fill(0)
    if (!same) {
      throw new StrongroomError(
        'SR_KMS_ROOT_KEY_WRONG',
        `${this.clearFile} is not the root key that ${this.sealedFile} holds: put it where it belongs, or remove it`,
      )
    }
    return removeRootKeyFile(this.clearFile)
  }

  #keepInTheClear(bytes: Buffer): void {
    writeRootKeyFile(this.clearFile, bytes)
    for (const path of [this.sealedFile, this.credentialFile]) rmSync(path, { force: true })
    syncDirectory(dirname(this.clearFile))
  }

  /** As the next start would open it. */
  async #requireOpens(seal: StoredSeal, made: Made): Promise<void> {
    const opened = await unwrap(seal, made.serviceId, made.help)
    const same = opened.equals(made.bytes)
    opened.fill(0)
    if (same) return
    throw new StrongroomError(
      'SR_KMS_SEAL',
      `the new seal (${seal.kind}) does not give the root key back, so the old one stays`,
    )
  }

  #foreign(): StrongroomError {
    return new StrongroomError(
      'SR_KMS_ROOT_KEY_WRONG',
      `${this.sealedFile} belongs to the database of another service: bring the two back from the same backup`,
    )
  }
}

interface Made {
  readonly bytes: Buffer
  readonly serviceId: string
  readonly help: SealHelp
}

async function wrap(
  bytes: Buffer,
  serviceId: string,
  request: Exclude<SealRequest, { kind: 'file' }>,
  help: SealHelp,
): Promise<StoredSeal> {
  switch (request.kind) {
    case 'passphrase':
      return await wrapByPassphrase(bytes, serviceId, help)
    case 'systemd':
      return await wrapBySystemd(bytes)
    case 'kms':
      return await wrapByKms(bytes, serviceId, request)
  }
}

async function unwrap(seal: StoredSeal, serviceId: string, help: SealHelp): Promise<Buffer> {
  switch (seal.kind) {
    case 'passphrase':
      return await unwrapByPassphrase(seal, serviceId, help)
    case 'systemd':
      return await unwrapBySystemd(seal)
    case 'kms':
      return await unwrapByKms(seal, serviceId)
  }
}
