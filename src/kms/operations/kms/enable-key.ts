import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html */
export const enableKey = operation({
  name: 'EnableKey',
  readOnly: false,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:EnableKey', key }],
  run(_input, key, { state }) {
    requireKeyState('EnableKey', key)
    state.keys.setEnabled(key, true)
    return undefined
  },
})
