import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { epochSeconds } from '../../protocol/json.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/* In days. The API model allows 1 to 365, the documentation less. */
const shortestWindow = 7
const longestWindow = 30

/**
 * What the key encrypted can't be read any more when the waiting period is over; the service itself carries it out.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
 */
export const scheduleKeyDeletion = operation({
  name: 'ScheduleKeyDeletion',
  readOnly: false,
  input: z.object({
    KeyId: keyId,
    PendingWindowInDays: z.int().min(1).max(365).default(longestWindow),
  }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: ({ PendingWindowInDays: days }, key) => [
    {
      action: 'kms:ScheduleKeyDeletion',
      key,
      conditionKeys: new Map([['kms:schedulekeydeletionpendingwindowindays', [String(days)]]]),
    },
  ],
  run({ PendingWindowInDays: days }, key, { state, receivedAt }) {
    if (days < shortestWindow || days > longestWindow) {
      throw new AwsException(
        'ValidationException',
        `PendingWindowInDays must be between ${shortestWindow} and ${longestWindow}, but it is ${days}`,
      )
    }
    requireKeyState('ScheduleKeyDeletion', key)
    const { arn, deletionDate, state: KeyState } = state.keys.scheduleDeletion(key, days, receivedAt)
    return {
      KeyId: arn,
      DeletionDate: deletionDate && epochSeconds(deletionDate),
      KeyState,
      PendingWindowInDays: days,
    }
  },
  recordedAnswer: ({ KeyId, DeletionDate, KeyState, PendingWindowInDays }) => ({
    keyId: KeyId,
    keyState: KeyState,
    deletionDate: DeletionDate === undefined ? undefined : new Date(DeletionDate * 1000).toISOString(),
    pendingWindowInDays: PendingWindowInDays,
  }),
})
