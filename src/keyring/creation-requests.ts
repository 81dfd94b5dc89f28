import { StrongroomError } from '../errors.ts'
import { CreationPause } from './creation-pause.ts'
import type { CreationRule } from './creation-rule.ts'
import type { CreationOptions } from './creation.ts'
import type { DataKey } from './data-key.ts'
import type { Memory } from './memory.ts'
import type { RefusalLog } from './refusal-log.ts'
import { SingleFlight } from './serial.ts'

/** What making a key needs of the keyring that it is for. */
export interface KeyMaking {
  readonly creationRule: CreationRule
  readonly refusals: RefusalLog
  readonly memory: Memory
  /** Whether the configuration names the master key that new keys are to be wrapped with. */
  hasMasterKey(): boolean
  /** Looks at the store, where that could bring a key which memory has not got. */
  lookAgain(): Promise<void>
  /** Makes the next version. When its turn has come, `check` is told which was issued last (0: none was), and may throw. */
  make(
    keyId: number,
    check: (latestIssued: number) => void,
    options?: Pick<CreationOptions, 'firstForExistingData'>,
  ): Promise<DataKey>
}

/** At whose wish keys are made: that of a server which asks for an id, or the operator's. */
export class CreationRequests {
  readonly #making: KeyMaking
  #underWay = new SingleFlight<number, DataKey | undefined>()
  #pause = new CreationPause()

  constructor(making: KeyMaking) {
    this.#making = making
  }

  /** Why no first version of an id is made when it is asked for; undefined: it would be made. */
  whyNotMade(keyId: number): string | undefined {
    if (!this.#making.creationRule.allows(keyId))
      return 'create-keys in the configuration does not allow that id'
    return this.#making.hasMasterKey() ? undefined : 'master-key-id in the configuration is empty'
  }

  /** The latest version of an id that memory has not got; where there is none and the creation rule allows it, it is created. */
  async latestOrNew(keyId: number): Promise<DataKey | undefined> {
    return await this.#underWay.run(keyId, async () => {
      try {
        return await this.#latestOrNew(keyId)
      } catch (error) {
        // What lies in the store and can't be loaded has been told of as trouble.
        const isTold = this.#making.memory.isInTrouble(keyId)
        if (!isTold && error instanceof StrongroomError)
          this.#making.refusals.notCreated(keyId, error, error.message)
        throw error
      }
    })
  }

  /** As `Keyring.create`. */
  async create(keyId: number): Promise<DataKey> {
    const began = performance.now()
    await this.#making.lookAgain()
    const check = (latest: number) => {
      if (latest === 0) return
      throw new StrongroomError(
        'SR_KEY_PRESENT',
        `key ${keyId} exists, its latest version is ${latest}: rotate it`,
      )
    }
    try {
      return await this.#making.make(keyId, check, { firstForExistingData: true })
    } catch (error) {
      // A server that wanted it at the same time may have come first: it is the one that was asked for (rule K5).
      const { memory } = this.#making
      const made = memory.latest(keyId)
      if (made !== undefined && (memory.madeAt(made) ?? -Infinity) >= began) return made
      throw error
    }
  }

  /** As `Keyring.rotate`. */
  async rotate(keyId: number): Promise<DataKey> {
    await this.#making.lookAgain()
    return await this.#making.make(keyId, (latest) => {
      if (latest > 0) return
      throw new StrongroomError(
        'SR_KEY_ABSENT',
        `key ${keyId} has no version that could be rotated: create it`,
      )
    })
  }

  /** Something has changed that all attempts depend on: those under way may fail, and nobody is to hear that from now on. */
  forgetFailures(): void {
    this.#underWay = new SingleFlight()
    this.#pause = new CreationPause()
  }

  async #latestOrNew(keyId: number): Promise<DataKey | undefined> {
    const { memory, refusals } = this.#making
    await this.#making.lookAgain()
    const found = memory.latest(keyId)
    if (found !== undefined) return found
    memory.refuseIfIssued(keyId, Math.max(1, memory.latestIssued(keyId)))
    const whyNot = this.whyNotMade(keyId)
    if (whyNot === undefined) return await this.#createFirst(keyId)
    refusals.notCreated(keyId, undefined, whyNot)
    return undefined
  }

  async #createFirst(keyId: number): Promise<DataKey> {
    const pause = this.#pause
    pause.requireOver(keyId)
    try {
      const key = await this.#making.make(keyId, (latest) => {
        // While this waited for its turn, an operator or a refresh may have brought the key.
        if (latest > 0) throw new StrongroomError('SR_KEY_PRESENT', `key ${keyId} exists by now`)
      })
      pause.succeeded(keyId)
      return key
    } catch (error) {
      const made = this.#making.memory.latest(keyId)
      if (made !== undefined) return made
      if (error instanceof StrongroomError) pause.failed(keyId, error)
      throw error
    }
  }
}
