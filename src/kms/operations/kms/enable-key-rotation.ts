import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireNoReplica, requireOwnMaterial } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html */
export const enableKeyRotation = operation({
  name: 'EnableKeyRotation',
  readOnly: false,
  input: z.object({ KeyId: keyId, RotationPeriodInDays: z.int().min(90).max(2560).default(365) }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (input, key) => [
    {
      action: 'kms:EnableKeyRotation',
      key,
      conditionKeys: new Map([['kms:rotationperiodindays', [String(input.RotationPeriodInDays)]]]),
    },
  ],
  run(input, key, { state, receivedAt }) {
    requireOwnMaterial(key)
    requireNoReplica(key)
    requireKeyState('EnableKeyRotation', key)
    state.keys.enableRotation(key, input.RotationPeriodInDays, receivedAt)
    return undefined
  },
})
