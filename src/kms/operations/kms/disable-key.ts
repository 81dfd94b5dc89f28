import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html */
export const disableKey = operation({
  name: 'DisableKey',
  readOnly: false,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:DisableKey', key }],
  run(_input, key, { state }) {
    requireKeyState('DisableKey', key)
    state.keys.setEnabled(key, false)
    return undefined
  },
})
