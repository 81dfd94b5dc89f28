import { setTimeout } from 'node:timers/promises'
import { StrongroomError } from '../errors.ts'
import { CreationRequests } from './creation-requests.ts'
import type { CreationRule } from './creation-rule.ts'
import { createKey, type CreationOptions } from './creation.ts'
import type { DataKey, KeySpec } from './data-key.ts'
import type { Examination } from './examination.ts'
import { examine } from './examine.ts'
import type { Log } from './log.ts'
import type { Manifest } from './manifest.ts'
import type { MasterKey } from './master-key.ts'
import { type ListedKey, Memory } from './memory.ts'
import { refresh } from './refresh.ts'
import { RefusalLog } from './refusal-log.ts'
import { Serial } from './serial.ts'
import type { Sources } from './sources.ts'
import type { Store } from './store.ts'
import { TroubleLog } from './trouble-log.ts'
import { Upkeep } from './upkeep.ts'
import { longestPauseFor, Waiting } from './waiting.ts'
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
  /** That the manifest must have, and a new one gets; undefined: a new one gets a random id. */
  readonly keyringId?: string | undefined
  readonly log: Log
  /** Shows what the keyring waits for; undefined: for nothing any more. */
  readonly onWaiting?: ((status: string | undefined) => void) | undefined
}

/** Milliseconds. */
const patienceAtClose = 1000

/** All data keys of one server: in memory, in their store, and between the two. */
export class Keyring {
  readonly name: string
  readonly #options: KeyringOptions
  readonly #upkeep: Upkeep
  readonly #refusals: RefusalLog
  readonly #requests: CreationRequests
  readonly #storeWork = new Serial()
  readonly #watchers = new Watchers()
  readonly #waiting: Waiting
  readonly #memory = new Memory()
  readonly #ready = Promise.withResolvers<undefined>()
  #troubleLog: TroubleLog
  #masterKey: MasterKey
  #keySpec: KeySpec
  #toldOfContext = false
  /** The one that is under way. */
  #examination: Promise<Examination> | undefined
  #closed = false

  constructor(options: KeyringOptions) {
    this.name = options.name
    this.#options = options
    this.#masterKey = options.masterKey
    this.#keySpec = options.keySpec
    this.#troubleLog = new TroubleLog(options.log)
    this.#refusals = new RefusalLog(options.log)
    this.#waiting = new Waiting(options.log, options.onWaiting ?? (() => undefined))
    this.#requests = new CreationRequests({
      creationRule: options.creationRule,
      refusals: this.#refusals,
      memory: this.#memory,
      hasMasterKey: () => this.#masterKey.name !== undefined,
      lookAgain: () => this.#lookAgain(),
      make: (keyId, check, how) => this.#make(keyId, check, how),
    })
    this.#upkeep = new Upkeep({
      refresh: () => this.#storeWork.run(() => this.#refresh()),
      changeMark: () => options.store.changeMark(),
      longestPause: () => longestPauseFor(this.#memory.troubles),
      onRetry: (delay) => {
        this.#waiting.retryIn(delay, this.#memory.troubles, !this.#memory.wasWhole)
      },
    })
  }

  /** Resolves after the first look at the store, ready or not; from then on the keyring keeps trying by itself. */
  async start(): Promise<void> {
    await this.#upkeep.start()
  }

  /** Whether every stored key is in memory and nothing is wrong with the store. */
  get isReady(): boolean {
    return this.#memory.isWhole
  }

  /** Its random id; undefined until it has a manifest. */
  get id(): string | undefined {
    return this.#memory.loaded.manifest?.id
  }

  /** Whether nothing is wrong but that the KMS, or the way to it, can't be used, or that it may be another KMS. */
  get waitsForKms(): boolean {
    return this.#memory.waitsForKms
  }

  /** What is wrong, with single keys or with the store. */
  get troubles(): readonly StrongroomError[] {
    return this.#memory.troubles.map(({ error }) => error)
  }

  /** Resolves once the keyring has been ready for the first time. */
  async whenReady(): Promise<void> {
    await this.#ready.promise
  }

  /** Memory alone: the latest version of an id, if it is held (rule K3). */
  latest(keyId: number): DataKey | undefined {
    return this.#memory.latest(keyId)
  }

  /** Memory alone: one version of an id, if it is held (rule K3). */
  held(keyId: number, version: number): DataKey | undefined {
    return this.#memory.held(keyId, version)
  }

  /** Tells of each new latest key, and of another keyring in this one's place, until the returned function is called. */
  watch(watcher: KeyringWatcher): () => void {
    return this.#watchers.add(watcher)
  }

  /** When this agent made the key, by `performance.now()`; undefined: it did not. */
  madeAt(key: DataKey): number | undefined {
    return this.#memory.madeAt(key)
  }

  /** The version of an id (the latest, if none is named) that lies in the store and that the KMS did not unwrap. */
  undecrypted(keyId: number, version?: number): number | undefined {
    return this.#memory.undecrypted(keyId, version)
  }

  /** Why no first version of an id is made when it is asked for; undefined: it would be made. */
  whyNotMade(keyId: number): string | undefined {
    return this.#requests.whyNotMade(keyId)
  }

  /**
   * Works with another master key from now on, and looks at once after what waits for one. Work that is under way ends
   * with the former, which is closed then.
   */
  useMasterKey(masterKey: MasterKey, keySpec: KeySpec): void {
    const former = this.#masterKey
    this.#masterKey = masterKey
    this.#keySpec = keySpec
    const workUnderWay = this.#storeWork.run(() => Promise.resolve())
    void Promise.allSettled([workUnderWay, this.#examination]).then(() => {
      former.close()
    })
    void this.lookAfresh()
  }

  /**
   * Something that the KMS's answers depend on, such as the credentials, is another from now on: looks at once, in the middle of a
   * pause too, and tells anew what is still wrong. Resolves after that look.
   */
  async lookAfresh(): Promise<void> {
    this.#requests.forgetFailures()
    void this.#storeWork.run(() => {
      // What was told before, to the end of the work under way, is to be told of this too.
      this.#troubleLog = new TroubleLog(this.#options.log)
      return Promise.resolve()
    })
    await this.#upkeep.lookAfresh()
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
    this.#memory.refuseIfIssued(keyId, version)
    this.#refusals.neverIssued({ keyId, version })
    return undefined
  }

  /** As `obtain`, for the latest version; where the id has none and the creation rule allows it, it is created. */
  async obtainLatest(keyId: number): Promise<DataKey | undefined> {
    return this.latest(keyId) ?? (await this.#requests.latestOrNew(keyId))
  }

  /**
   * Makes the first version of an id at the operator's word, whatever the creation rule says, and also where a
   * database lies that never had keys. Throws SR_KEY_PRESENT where the id has a version.
   */
  async create(keyId: number): Promise<DataKey> {
    return await this.#requests.create(keyId)
  }

  /** Makes the next version of an id. Throws SR_KEY_ABSENT where it has none. */
  async rotate(keyId: number): Promise<DataKey> {
    return await this.#requests.rotate(keyId)
  }

  /** Every version that was issued, held or not. Throws where the store as a whole is not known. */
  listKeys(): ListedKey[] {
    return this.#memory.listKeys()
  }

  /**
   * Has the KMS unwrap every key file anew, and compares with memory; nothing is changed. Whoever asks meanwhile gets the same result, for
   * each costs as many calls as there are files. The making of keys does not wait for those calls (rule K8), only for the look at the store.
   */
  async examine(): Promise<Examination> {
    this.#refuseIfClosed()
    this.#examination ??= this.#examineAll().finally(() => (this.#examination = undefined))
    return await this.#examination
  }

  #examineAll(): Promise<Examination> {
    const look = () => this.#storeWork.run(() => this.#options.store.look())
    return examine(this.#sources(), this.#memory.loaded.held, look)
  }

  /** Zeroes every key at once, and gives work under way a moment to end: what it leaves half done is safe (rule K1). */
  async close(): Promise<void> {
    this.#closed = true
    this.#upkeep.stop()
    this.#memory.drop()
    const ended = this.#storeWork.run(() => Promise.resolve())
    await Promise.race([ended, setTimeout(patienceAtClose, undefined, { ref: false })])
    this.#memory.drop()
    this.#masterKey.close()
  }

  /** True when nothing is wrong. */
  async #refresh(): Promise<boolean> {
    if (this.#closed) return true
    const { store, log } = this.#options
    try {
      const found = await refresh(this.#sources(), this.#memory.loaded)
      this.#memory.take(found)
      const { loaded, replaced } = found
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
      this.#memory.takeFailure(error)
    }
    this.#troubleLog.report(this.#memory.troubles)
    if (this.#memory.isWhole) this.#ready.resolve(undefined)
    if (this.#memory.troubles.length === 0) this.#waiting.over()
    return this.#memory.troubles.length === 0
  }

  async #lookAgain(): Promise<void> {
    this.#refuseIfClosed()
    await this.#upkeep.lookIfNeeded()
    this.#refuseIfClosed()
  }

  #sources(): Sources {
    const { store, keyringId } = this.#options
    return { store, masterKey: this.#masterKey, keyringId }
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new StrongroomError('SR_KEYRING_CLOSED', `the keyring ${this.name} is closed`)
  }

  /** As `KeyMaking.make`. */
  async #make(
    keyId: number,
    check: (latestIssued: number) => void,
    how?: Pick<CreationOptions, 'firstForExistingData'>,
  ): Promise<DataKey> {
    return await this.#storeWork.run(async () => {
      this.#refuseIfClosed()
      const { encryptionContext, log } = this.#options
      const latest = this.#memory.latestIssued(keyId)
      check(latest)
      const version = latest + 1
      const making = createKey({ keyId, version }, this.#sources(), this.#memory.loaded, {
        keySpec: this.#keySpec,
        encryptionContext: encryptionContext ?? 'bound',
        ...how,
      })
      const made = await making.catch((error: unknown) => {
        this.#upkeep.suspectChange()
        throw error
      })
      this.#memory.add(made)
      const { key, entry } = made.unwrapped
      log.info(
        { keyId, version, masterKey: entry.masterKey },
        `AWS KMS plugin: generated encrypted datakey for key id=${keyId}, version=${version}`,
      )
      this.#tellLoaded(key)
      this.#tellWatchers([{ key }], false)
      return key
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
    const { manifest } = this.#memory.loaded
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
