import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { description, keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html */
export const updateKeyDescription = operation({
  name: 'UpdateKeyDescription',
  readOnly: false,
  input: z.object({ Description: description, KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:UpdateKeyDescription', key }],
  run(input, key, { state }) {
    requireKeyState('UpdateKeyDescription', key)
    state.keys.setDescription(key, input.Description)
    return undefined
  },
})
