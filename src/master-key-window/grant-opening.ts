import { CreateGrantCommand, type CreateGrantCommandInput, RevokeGrantCommand } from '@aws-sdk/client-kms'
import { setTimeout } from 'node:timers/promises'
import { awsErrorName } from '../aws/errors.ts'
import { StrongroomError } from '../errors.ts'
import { listGrants } from './grants.ts'
import { type Opening, type OpeningLimits, requireNotOver } from './opening.ts'
import type { Reach } from './reach.ts'
import type { Target } from './target.ts'

export type GrantTarget = Extract<Target, { type: 'grant' }>

/** Milliseconds; as for the state of a key. */
const looksAfter = [0, 200, 500, 1000, 2000, 3000]

/** The rights that a server's agent needs: those of its key policy otherwise. */
const operations: CreateGrantCommandInput['Operations'] = [
  'Decrypt',
  'GenerateDataKeyWithoutPlaintext',
  'DescribeKey',
]

/** Of the form that all have. */
const noGrant = '0'.repeat(64)

/** The encryption context of bound data keys: docs/architecture.md. */
const keyringContext = 'strongroom-keyring'

/** A grant to one principal for a master key that is enabled. It is known by its name, for an answer may be lost. */
export class GrantOpening implements Opening {
  readonly #target: GrantTarget
  readonly #reach: Reach
  #grantId: string | undefined

  constructor(target: GrantTarget, reach: Reach) {
    this.#target = target
    this.#reach = reach
  }

  /** Whether it may be revoked is found out with one that is not there. */
  async prove(): Promise<void> {
    await this.#find()
    await this.#revoke(noGrant)
  }

  async open({ over, late: abortSignal }: OpeningLimits): Promise<string | undefined> {
    requireNotOver(over)
    const { keyArn, principal, grantName, keyringId } = this.#target
    const input: CreateGrantCommandInput = {
      KeyId: keyArn,
      GranteePrincipal: principal,
      Name: grantName,
      Operations: operations,
      ...(keyringId !== undefined && {
        Constraints: { EncryptionContextSubset: { [keyringContext]: keyringId } },
      }),
    }
    const { GrantId, $metadata } = await this.#reach.do(
      `grant ${principal} the use of ${keyArn}`,
      ({ kms }) => kms.send(new CreateGrantCommand(input), { abortSignal }),
    )
    this.#grantId = GrantId
    return $metadata.requestId
  }

  async close(): Promise<string | undefined> {
    let requestId: string | undefined
    // The same request sent twice may have made two: only with the answer is it known that it didn't.
    for (const grantId of new Set([
      ...(this.#grantId === undefined ? [] : [this.#grantId]),
      ...(await this.#find()),
    ]))
      requestId = await this.#revoke(grantId)
    for (const pause of looksAfter) {
      await setTimeout(pause)
      if (!(await this.isOpen())) return requestId
    }
    throw new StrongroomError(
      'SR_WINDOW_LEFT_OPEN',
      `grant ${this.#target.grantName} of master key ${this.#target.keyArn} was revoked, and the KMS still lists it`,
    )
  }

  async isOpen(): Promise<boolean> {
    return (await this.#find()).length > 0
  }

  async #find(): Promise<string[]> {
    const { keyArn, grantName } = this.#target
    try {
      const grants = await listGrants(this.#reach, keyArn, ({ Name }) => Name === grantName)
      return grants.flatMap(({ GrantId }) => GrantId ?? [])
    } catch (error) {
      // With the key its grants are gone.
      if (awsErrorName(error) === 'NotFoundException') return []
      throw error
    }
  }

  async #revoke(grantId: string): Promise<string | undefined> {
    const { keyArn, principal } = this.#target
    try {
      const { $metadata } = await this.#reach.do(
        `revoke the grant to ${principal} for ${keyArn}`,
        ({ kms }) => kms.send(new RevokeGrantCommand({ KeyId: keyArn, GrantId: grantId })),
      )
      return $metadata.requestId
    } catch (error) {
      if (awsErrorName(error) === 'NotFoundException') return undefined
      throw error
    }
  }
}
