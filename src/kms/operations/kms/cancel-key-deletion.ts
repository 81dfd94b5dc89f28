import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/**
 * The key is Disabled then.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
 */
export const cancelKeyDeletion = operation({
  name: 'CancelKeyDeletion',
  readOnly: false,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:CancelKeyDeletion', key }],
  run(_input, key, { state }) {
    requireKeyState('CancelKeyDeletion', key)
    state.keys.cancelDeletion(key)
    return { KeyId: key.arn }
  },
})
