import { setTimeout } from 'node:timers/promises'
import { StrongroomError } from '../errors.ts'
import { createKey } from './creation.ts'
import { CreationPause } from './creation-pause.ts'
import type { CreationRule } from './creation-rule.ts'
import type { DataKey, KeyName, KeySpec } from './data-key.ts'
import { HeldKeys } from './held-keys.ts'
import type { Log } from './log.ts'
import type { Manifest } from './manifest.ts'
import type { MasterKey } from './master-key.ts'
import { type Loaded, refresh } from './refresh.ts'
import { Serial, SingleFlight } from './serial.ts'
import type { Store } from './store.ts'
import { RefusalLog } from './refusal-log.ts'
import { isAboutTheKms, type Trouble, undecryptedVersion } from './trouble.ts'
import { TroubleLog } from './trouble-log.ts'
import { Upkeep } from './upkeep.ts'
import { type KeyringWatcher, Watchers } from './watchers.ts'

export interface KeyringOptions {
  readonly name: string
  readonly store: Store
  readonly masterKey: MasterKey
  /** Of new keys; stored keys keep theirs. */
  readonly keySpec: KeySpec
  readonly creationRule: CreationRule
  /** Whether the keys of a new keyring are bound (the default); what a manifest says wins. */
  readonly encryptionContext?: Manifest['encryptionContext'] | undefined
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
  readonly #refusals: RefusalLog
  readonly #storeWork = new Serial()
  readonly #creations = new SingleFlight<number, DataKey | undefined>()
  readonly #pause = new CreationPause()
  readonly #watchers = new Watchers()
  /** When those keys were made that were made since we began; by the monotonic clock. */
  readonly #madeAt = new WeakMap<DataKey, number>()
  readonly #ready = Promise.withResolvers<undefined>()
  #loaded: Loaded = { manifest: undefined, held: new HeldKeys() }
  #troubles: readonly Trouble[] = []
  #troubleLog: TroubleLog
  #masterKey: MasterKey
  #keySpec: KeySpec
  #isReady = false
  #toldOfContext = false
  #closed = false

  constructor(options: KeyringOptions) {
    this.name = options.name
    this.#options = options
    this.#masterKey = options.masterKey
    this.#keySpec = options.keySpec
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

  /** Its random id; undefined until it has a manifest. */
  get id(): string | undefined {
    return this.#loaded.manifest?.id
  }

  /** Whether nothing is wrong but that the KMS, or the way to it, can't be used. */
  get waitsForKms(): boolean {
    return this.#troubles.every(({ error }) => isAboutTheKms(error))
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

  /** Tells of each new latest key, and of another keyring in this one's place, until the returned function is called. */
  watch(watcher: KeyringWatcher): () => void {
    return this.#watchers.add(watcher)
  }

  /** When this agent made the key, by `performance.now()`; undefined: it did not. */
  madeAt(key: DataKey): number | undefined {
    return this.#madeAt.get(key)
  }

  /** The version of an id (the latest, if none is named) that lies in the store and that the KMS did not unwrap. */
  undecrypted(keyId: number, version?: number): number | undefined {
    return undecryptedVersion(this.#troubles, keyId, version)
  }

  /** Why no first version of an id is made when it is asked for; undefined: it would be made. */
  whyNotMade(keyId: number): string | undefined {
    if (!this.#options.creationRule.allows(keyId))
      return 'create-keys in the configuration does not allow that id'
    return this.#masterKey.name === undefined ? 'master-key-id in the configuration is empty' : undefined
  }

  /**
   * Works with another master key from now on, and looks at once after what waits for one. Work that is under way ends
   * with the former, which is closed then.
   */
  useMasterKey(masterKey: MasterKey, keySpec: KeySpec): void {
    const former = this.#masterKey
    this.#masterKey = masterKey
    this.#keySpec = keySpec
    // What was told of the former is to be told of this one too.
    this.#troubleLog = new TroubleLog(this.#options.log)
    this.#pause.forget()
    void this.#storeWork.run(() => {
      former.close()
      return Promise.resolve()
    })
    void this.#upkeep.lookAfresh()
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
    const began = performance.now()
    await this.#lookAgain()
    try {
      return await this.#create(keyId, { firstForExistingData: true }, (latest) => {
        if (latest === 0) return
        throw new StrongroomError(
          'SR_KEY_PRESENT',
          `key ${keyId} exists, its latest version is ${latest}: rotate it`,
        )
      })
    } catch (error) {
      // A server that wanted it at the same time may have come first: it is the one that was asked for (rule K5).
      const made = this.latest(keyId)
      if (made !== undefined && (this.madeAt(made) ?? -Infinity) >= began) return made
      throw error
    }
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
    this.#masterKey.close()
  }

  #dropKeys(): void {
    this.#loaded.held.drop()
    this.#loaded.pending?.held.drop()
  }

  /** True when nothing is wrong. */
  async #refresh(): Promise<boolean> {
    if (this.#closed) return true
    const { store, log } = this.#options
    try {
      const sources = { store, masterKey: this.#masterKey }
      const { loaded, troubles, replaced, ...next } = await refresh(sources, this.#loaded)
      this.#loaded = next
      this.#troubles = troubles
      if (replaced)
        log.warn(
          {},
          `another keyring was put into ${store.location}; its keys have taken the place of the former`,
        )
      for (const { key } of loaded) this.#tellLoaded(key)
      this.#tellWatchers(loaded, replaced)
      this.#tellOfContext()
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
    const reason = this.whyNotMade(keyId)
    if (reason !== undefined) this.#refusals.notCreated(keyId, undefined, reason)
    return reason === undefined
  }

  async #create(
    keyId: number,
    options: { firstForExistingData?: boolean },
    check: (latestIssued: number) => void,
  ): Promise<DataKey> {
    return await this.#storeWork.run(async () => {
      this.#refuseIfClosed()
      const { store, encryptionContext, log } = this.#options
      const sources = { store, masterKey: this.#masterKey }
      const latest = this.#loaded.held.latestIssued(keyId)
      check(latest)
      const version = latest + 1
      const made = createKey({ keyId, version }, sources, this.#loaded, {
        keySpec: this.#keySpec,
        encryptionContext: encryptionContext ?? 'bound',
        ...options,
      })
      const { manifest, unwrapped } = await made.catch((error: unknown) => {
        this.#upkeep.suspectChange()
        throw error
      })
      this.#loaded = { ...this.#loaded, manifest }
      this.#madeAt.set(unwrapped.key, performance.now())
      this.#loaded.held.add(unwrapped.key)
      log.info(
        { keyId, version, masterKey: unwrapped.entry.masterKey },
        `AWS KMS plugin: generated encrypted datakey for key id=${keyId}, version=${version}`,
      )
      this.#tellLoaded(unwrapped.key)
      this.#tellWatchers([unwrapped], false)
      return unwrapped.key
    })
  }

  #tellWatchers(loaded: readonly { readonly key: DataKey }[], replaced: boolean): void {
    if (replaced) {
      this.#watchers.tell((watcher) => {
        watcher.replaced()
      })
    }
    for (const { key } of loaded) {
      if (this.latest(key.keyId) !== key) continue
      this.#watchers.tell((watcher) => {
        watcher.newLatest(key)
      })
    }
  }

  #tellOfContext(): void {
    const { encryptionContext: wanted, store, log } = this.#options
    const { manifest } = this.#loaded
    if (wanted === undefined || manifest === undefined || this.#toldOfContext) return
    if (manifest.encryptionContext === wanted) return
    this.#toldOfContext = true
    log.warn(
      {},
      `encryption-context = ${wanted} is only for a new keyring: the manifest in ${store.location} says ${manifest.encryptionContext}, and that stays`,
    )
  }

  #tellLoaded({ keyId, version, bitLength }: DataKey): void {
    this.#options.log.info(
      { keyId, version, bitLength },
      `AWS KMS plugin: loaded key ${keyId}, version ${version}, key length ${bitLength} bit`,
    )
  }
}
