import { DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import { setTimeout } from 'node:timers/promises'
import type { AwsAccess } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'

export interface FoundKey {
  /** As it was given: id, ARN, alias or alias ARN. */
  readonly named: string
  readonly arn: string
  /** `Enabled`, `Disabled`, `PendingDeletion` … */
  readonly state: string
  readonly description: string
  readonly deletionDate: Date | undefined
}

/** Milliseconds. */
const stateWithin = 60_000
const longestPause = 2000

/** EnableKey and DisableKey take no alias, so the key is found first. Throws SR_AWS_…. */
export async function findKey(access: AwsAccess, named: string): Promise<FoundKey> {
  const { KeyMetadata: key } = await access.do(`find master key ${named}`, () =>
    access.kms.send(new DescribeKeyCommand({ KeyId: named })),
  )
  return {
    named,
    arn: key?.Arn ?? named,
    state: key?.KeyState ?? 'unknown',
    description: key?.Description ?? '',
    deletionDate: key?.DeletionDate,
  }
}

/** `alias/mariadb (arn:aws:kms:…)` */
export function nameOf({ named, arn }: Pick<FoundKey, 'named' | 'arn'>): string {
  return named === arn ? arn : `${named} (${arn})`
}

/** Resolves once the KMS says that it is so. Throws SR_AWS_…, and SR_WINDOW_LEFT_OPEN where a key doesn't become disabled. */
export async function setEnabled(access: AwsAccess, key: FoundKey, enabled: boolean): Promise<void> {
  const verb = enabled ? 'enable' : 'disable'
  const wanted = enabled ? 'Enabled' : 'Disabled'
  const Command = enabled ? EnableKeyCommand : DisableKeyCommand
  await access.do(`${verb} master key ${nameOf(key)}`, () => access.kms.send(new Command({ KeyId: key.arn })))
  const end = performance.now() + stateWithin
  for (let pause = 100; ; pause = Math.min(longestPause, pause * 2)) {
    const { state } = await findKey(access, key.arn)
    if (state === wanted) return
    if (performance.now() > end) {
      throw new StrongroomError(
        enabled ? 'SR_AWS_FAILED' : 'SR_WINDOW_LEFT_OPEN',
        `master key ${nameOf(key)} was told to be ${verb}d, and after ${stateWithin / 1000} s the KMS still says ${state}: look at it again`,
      )
    }
    await setTimeout(pause)
  }
}
