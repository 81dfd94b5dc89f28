import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireImportedMaterial } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId, keyMaterialId } from './members.ts'

/**
 * Without an id the current key material is meant. It may be imported again.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html
 */
export const deleteImportedKeyMaterial = operation({
  name: 'DeleteImportedKeyMaterial',
  readOnly: false,
  input: z.object({ KeyId: keyId, KeyMaterialId: keyMaterialId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:DeleteImportedKeyMaterial', key }],
  run(input, key, { state }) {
    requireImportedMaterial(key)
    requireKeyState('DeleteImportedKeyMaterial', key)
    const id = input.KeyMaterialId ?? key.currentMaterialId
    if (id !== undefined) {
      requireMaterial(id, key)
      state.keys.deleteMaterial(key, id)
      state.keys.scrub()
    }
    return { KeyId: key.arn, KeyMaterialId: id ?? '' }
  },
})

function requireMaterial(id: string, { arn, materials }: Key): void {
  if (materials.some((material) => material.id === id)) return
  throw new AwsException('NotFoundException', `Key material ${id} does not belong to the key ${arn}.`)
}
