import { DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import { setTimeout } from 'node:timers/promises'
import { awsErrorName } from '../aws/errors.ts'
import { StrongroomError } from '../errors.ts'
import { type Opening, type OpeningLimits, requireNotOver } from './opening.ts'
import type { Reach } from './reach.ts'

/** Milliseconds: the KMS may say for some seconds after a change what was before it (it is eventually consistent). */
const looksAfter = [0, 200, 500, 1000, 2000, 3000]

/** From all others, such as `Unavailable` and `Updating`, a key may come back as enabled as it was. */
const closedStates = ['Disabled', 'PendingDeletion', 'PendingReplicaDeletion', 'PendingImport']

/** A master key that is enabled. */
export class KeyOpening implements Opening {
  readonly #keyArn: string
  readonly #reach: Reach

  constructor(keyArn: string, reach: Reach) {
    this.#keyArn = keyArn
    this.#reach = reach
  }

  /** Disabling what is disabled changes nothing, and shows that it is allowed. */
  async prove(): Promise<void> {
    await this.#disable('make sure that you may disable')
  }

  async open({ over, late: abortSignal }: OpeningLimits): Promise<string | undefined> {
    await this.#reach.enabling.turn()
    requireNotOver(over)
    const { $metadata } = await this.#reach.do(`enable master key ${this.#keyArn}`, ({ kms }) =>
      kms.send(new EnableKeyCommand({ KeyId: this.#keyArn }), { abortSignal }),
    )
    return $metadata.requestId
  }

  async close(): Promise<string | undefined> {
    let requestId: string | undefined
    try {
      requestId = await this.#disable('disable')
    } catch (error) {
      // Deleted, or pending deletion: then it can't be used, which is all that is wanted. What else it may be, the look tells.
      if (!['NotFoundException', 'KMSInvalidStateException'].includes(awsErrorName(error) ?? '')) throw error
    }
    for (const pause of looksAfter) {
      await setTimeout(pause)
      if (!(await this.isOpen())) return requestId
    }
    throw new StrongroomError(
      'SR_WINDOW_LEFT_OPEN',
      `master key ${this.#keyArn} was told to be disabled, and the KMS does not say that it is`,
    )
  }

  async isOpen(): Promise<boolean> {
    try {
      const { KeyMetadata } = await this.#reach.do(`look at master key ${this.#keyArn}`, ({ kms }) =>
        kms.send(new DescribeKeyCommand({ KeyId: this.#keyArn })),
      )
      return !closedStates.includes(KeyMetadata?.KeyState ?? '')
    } catch (error) {
      if (awsErrorName(error) === 'NotFoundException') return false
      throw error
    }
  }

  async #disable(doing: string): Promise<string | undefined> {
    await this.#reach.disabling.turn()
    const { $metadata } = await this.#reach.do(`${doing} master key ${this.#keyArn}`, ({ kms }) =>
      kms.send(new DisableKeyCommand({ KeyId: this.#keyArn })),
    )
    return $metadata.requestId
  }
}
