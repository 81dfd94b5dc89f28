import { z } from 'zod'
import { epochSeconds } from '../../protocol/json.ts'
import type { Key } from '../../state/keys.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireOwnMaterial } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/**
 * There is never an `OnDemandRotationStartDate`: RotateKeyOnDemand is done when it answers.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
 */
export const getKeyRotationStatus = operation({
  name: 'GetKeyRotationStatus',
  readOnly: true,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:GetKeyRotationStatus', key }],
  run(_input, key) {
    requireOwnMaterial(key)
    requireKeyState('GetKeyRotationStatus', key)
    return { KeyId: key.arn, ...rotationStatus(key) }
  },
})

/** While a key waits for its deletion, its rotation counts as off; when that is cancelled, it is on again. */
function rotationStatus({ state, rotation }: Key): Record<string, unknown> {
  if (rotation === undefined || state === 'PendingDeletion' || state === 'PendingReplicaDeletion') {
    return { KeyRotationEnabled: false }
  }
  return {
    KeyRotationEnabled: true,
    RotationPeriodInDays: rotation.periodDays,
    NextRotationDate: epochSeconds(rotation.nextDate),
  }
}
