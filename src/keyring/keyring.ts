import { setTimeout } from 'node:timers/promises'
import { StrongroomError } from '../errors.ts'
import { createKey } from './creation.ts'
import { CreationPause } from './creation-pause.ts'
import type { CreationRule } from './creation-rule.ts'
import type { DataKey, KeyName, KeySpec } from './data-key.ts'
import { HeldKeys } from './held-keys.ts'
import type { Log } from './log.ts'
import type { MasterKey } from './master-key.ts'
import { type Loaded, refresh } from './refresh.ts'
import { Serial, SingleFlight } from './serial.ts'
import type { Store } from './store.ts'
import { RefusalLog } from './refusal-log.ts'
import type { Trouble } from './trouble.ts'
import { TroubleLog } from './trouble-log.ts'
import { Upkeep } from './upkeep.ts'

export interface KeyringOptions {
  readonly name: string
  readonly store: Store
  readonly masterKey: MasterKey
  /** Of new keys; stored keys keep theirs. */
  readonly keySpec: KeySpec
  readonly creationRule: CreationRule
  readonly log: Log
}

export interface ListedKey extends KeyName {
  /** Its ARN, as far as it is known. */
  readonly masterKey: string | undefined
  /** undefined: it is not held. */
  readonly bitLength: number | undefined
  readonly isLatest: boolean
}

/** Milliseconds. */
const patienceAtClose = 1000

/** All data keys of one server: in memory, in their store, and between the two. */
export class Keyring {
  readonly name: string
  readonly #options: KeyringOptions
  readonly #upkeep: Upkeep
  readonly #troubleLog: TroubleLog
  readonly #refusals: RefusalLog
  readonly #storeWork = new Serial()
  readonly #creations = new SingleFlight<number, DataKey | undefined>()
  readonly #pause = new CreationPause()
  readonly #ready = Promise.withResolvers<undefined>()
  #loaded: Loaded = { manifest: undefined, held: new HeldKeys() }
  #troubles: readonly Trouble[] = []
  #isReady = false
  #closed = false

  constructor(options: KeyringOptions) {
    this.name = options.name
    this.#options = options
    this.#troubleLog = new TroubleLog(options.log)
    this.#refusals = new RefusalLog(options.log)
    this.#upkeep = new Upkeep({
      refresh: () => this.#storeWork.run(() => this.#refresh()),
      changeMark: () => options.store.changeMark(),
      onRetry: (delay) => {
        if (!this.#isReady) options.log.info({ delay }, `not ready; next try in ${delay} ms`)
      },
    })
  }

  /** Resolves after the first look at the store, ready or not; from then on the keyring keeps trying by itself. */
  async start(): Promise<void> {
    await this.#upkeep.start()
  }

  /** Whether every stored key is in memory and nothing is wrong with the store. */
  get isReady(): boolean {
    return this.#isReady && this.#troubles.length === 0
  }

  /** Resolves once the keyring has been ready for the first time. */
  async whenReady(): Promise<void> {
    await this.#ready.promise
  }

  /** Memory alone: the latest version of an id, if it is held (rule K3). */
  latest(keyId: number): DataKey | undefined {
    return this.#loaded.held.latest(keyId)
  }

  /** Memory alone: one version of an id, if it is held (rule K3). */
  held(keyId: number, version: number): DataKey | undefined {
    return this.#loaded.held.get(keyId, version)
  }

  /**
   * One version of an id, from the store where memory has not got it. undefined: it was never issued.
   * Throws a StrongroomError where it was, or might have been, and can't be had now.
   */
  async obtain(keyId: number, version: number): Promise<DataKey | undefined> {
    const key = this.held(keyId, version)
    if (key !== undefined) return key
    await this.#lookAgain()
    const found = this.held(keyId, version)
    if (found !== undefined) return found
    this.#refuseIfIssued(keyId, version)
    this.#refusals.neverIssued({ keyId, version })
    return undefined
  }

  /** As `obtain`, for the latest version; where the id has none and the creation rule allows it, it is created. */
  async obtainLatest(keyId: number): Promise<DataKey | undefined> {
    const key = this.latest(keyId)
    if (key !== undefined) return key
    return await this.#creations.run(keyId, async () => {
      try {
        return await this.#latestOrNew(keyId)
      } catch (error) {
        // What lies in the store and can't be loaded has been told of as trouble.
        const isTold = this.#troubles.some(({ name }) => name?.keyId === keyId)
        if (!isTold && error instanceof StrongroomError)
          this.#refusals.notCreated(keyId, error, error.message)
        throw error
      }
    })
  }

  /**
   * Makes the first version of an id at the operator's word, whatever the creation rule says, and also where a
   * database lies that never had keys. Throws SR_KEY_PRESENT where the id has a version.
   */
  async create(keyId: number): Promise<DataKey> {
    await this.#lookAgain()
    return await this.#create(keyId, { firstForExistingData: true }, (latest) => {
      if (latest === 0) return
      throw new StrongroomError(
        'SR_KEY_PRESENT',
        `key ${keyId} exists, its latest version is ${latest}: rotate it`,
      )
    })
  }

  /** Makes the next version of an id. Throws SR_KEY_ABSENT where it has none. */
  async rotate(keyId: number): Promise<DataKey> {
    await this.#lookAgain()
    return await this.#create(keyId, {}, (latest) => {
      if (latest > 0) return
      throw new StrongroomError(
        'SR_KEY_ABSENT',
        `key ${keyId} has no version that could be rotated: create it`,
      )
    })
  }

  /** Every version that was issued, held or not. Throws where the store as a whole is not known. */
  listKeys(): ListedKey[] {
    this.#refuseIfStoreUnknown()
    return (this.#loaded.manifest?.keys ?? []).map(({ keyId, version, masterKey }) => ({
      keyId,
      version,
      masterKey,
      bitLength: this.held(keyId, version)?.bitLength,
      isLatest: version === this.#loaded.held.latestIssued(keyId),
    }))
  }

  /** Zeroes every key at once, and gives work under way a moment to end: what it leaves half done is safe (rule K1). */
  async close(): Promise<void> {
    this.#closed = true
    this.#upkeep.stop()
    this.#dropKeys()
    const ended = this.#storeWork.run(() => Promise.resolve())
    await Promise.race([ended, setTimeout(patienceAtClose, undefined, { ref: false })])
    this.#dropKeys()
    this.#options.masterKey.close()
  }

  #dropKeys(): void {
    this.#loaded.held.drop()
    this.#loaded.pending?.held.drop()
  }

  /** True when nothing is wrong. */
  async #refresh(): Promise<boolean> {
    if (this.#closed) return true
    const { store, masterKey, log } = this.#options
    try {
      const { loaded, troubles, replaced, ...next } = await refresh({ store, masterKey }, this.#loaded)
      this.#loaded = next
      this.#troubles = troubles
      if (replaced)
        log.warn(
          {},
          `another keyring was put into ${store.location}; its keys have taken the place of the former`,
        )
      for (const { key } of loaded) this.#tellLoaded(key)
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      this.#troubles = [{ name: undefined, error }]
    }
    this.#troubleLog.report(this.#troubles)
    this.#becomeReady()
    return this.#troubles.length === 0
  }

  #becomeReady(): void {
    if (this.#isReady || this.#troubles.length > 0) return
    this.#isReady = true
    this.#ready.resolve(undefined)
  }

  async #lookAgain(): Promise<void> {
    this.#refuseIfClosed()
    await this.#upkeep.lookIfNeeded()
    this.#refuseIfClosed()
  }

  /** Throws why a version that was issued, or may have been, is not held. */
  #refuseIfIssued(keyId: number, version: number): void {
    const own = this.#troubles.find(({ name }) => name?.keyId === keyId && name.version === version)
    if (own !== undefined) throw own.error
    this.#refuseIfStoreUnknown()
    if (this.#loaded.held.isIssued({ keyId, version })) {
      throw new StrongroomError(
        'SR_KEY_FILE_MISSING',
        `key ${keyId}, version ${version} was issued and is not held`,
      )
    }
  }

  /** Where the store as a whole is not known, nothing can be called absent. */
  #refuseIfStoreUnknown(): void {
    const trouble = this.#troubles.find(({ name }) => name === undefined)
    if (trouble !== undefined) throw trouble.error
    if (!this.#isReady && this.#loaded.manifest === undefined && this.#troubles[0] !== undefined) {
      throw this.#troubles[0].error
    }
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new StrongroomError('SR_KEYRING_CLOSED', `the keyring ${this.name} is closed`)
  }

  async #latestOrNew(keyId: number): Promise<DataKey | undefined> {
    await this.#lookAgain()
    const found = this.latest(keyId)
    if (found !== undefined) return found
    this.#refuseIfIssued(keyId, Math.max(1, this.#loaded.held.latestIssued(keyId)))
    return this.#mayCreate(keyId) ? await this.#createFirst(keyId) : undefined
  }

  async #createFirst(keyId: number): Promise<DataKey> {
    this.#pause.requireOver(keyId)
    try {
      const key = await this.#create(keyId, {}, (latest) => {
        // While this waited for its turn, an operator or a refresh may have brought the key.
        if (latest > 0) throw new StrongroomError('SR_KEY_PRESENT', `key ${keyId} exists by now`)
      })
      this.#pause.succeeded(keyId)
      return key
    } catch (error) {
      const made = this.latest(keyId)
      if (made !== undefined) return made
      if (error instanceof StrongroomError) this.#pause.failed(keyId, error)
      throw error
    }
  }

  #mayCreate(keyId: number): boolean {
    const { creationRule, masterKey } = this.#options
    if (!creationRule.allows(keyId)) {
      this.#refusals.notCreated(keyId, undefined, 'create-keys in the configuration does not allow that id')
      return false
    }
    if (masterKey.name === undefined) {
      this.#refusals.notCreated(keyId, undefined, 'master-key-id in the configuration is empty')
      return false
    }
    return true
  }

  async #create(
    keyId: number,
    options: { firstForExistingData?: boolean },
    check: (latestIssued: number) => void,
  ): Promise<DataKey> {
    return await this.#storeWork.run(async () => {
      this.#refuseIfClosed()
      const { store, masterKey, keySpec, log } = this.#options
      const latest = this.#loaded.held.latestIssued(keyId)
      check(latest)
      const version = latest + 1
      const made = createKey({ keyId, version }, { store, masterKey }, this.#loaded, { keySpec, ...options })
      const { manifest, unwrapped } = await made.catch((error: unknown) => {
        this.#upkeep.suspectChange()
        throw error
      })
      this.#loaded = { ...this.#loaded, manifest }
      this.#loaded.held.add(unwrapped.key)
      log.info(
        { keyId, version, masterKey: unwrapped.entry.masterKey },
        `AWS KMS plugin: generated encrypted datakey for key id=${keyId}, version=${version}`,
      )
      this.#tellLoaded(unwrapped.key)
      return unwrapped.key
    })
  }

  #tellLoaded({ keyId, version, bitLength }: DataKey): void {
    this.#options.log.info(
      { keyId, version, bitLength },
      `AWS KMS plugin: loaded key ${keyId}, version ${version}, key length ${bitLength} bit`,
    )
  }
}
