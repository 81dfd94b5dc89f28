import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireNoReplica, requireOwnMaterial } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html */
export const disableKeyRotation = operation({
  name: 'DisableKeyRotation',
  readOnly: false,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:DisableKeyRotation', key }],
  run(_input, key, { state }) {
    requireOwnMaterial(key)
    requireNoReplica(key)
    requireKeyState('DisableKeyRotation', key)
    state.keys.disableRotation(key)
    return undefined
  },
})
