import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { epochSeconds } from '../../protocol/json.ts'
import type { Key, KeyMaterial } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId, limit, marker } from './members.ts'
import { page, readMarker } from './pages.ts'

/**
 * The oldest first.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
 */
export const listKeyRotations = operation({
  name: 'ListKeyRotations',
  readOnly: true,
  input: z.object({
    IncludeKeyMaterial: z.enum(['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']).default('ROTATIONS_ONLY'),
    KeyId: keyId,
    Limit: limit,
    Marker: marker,
  }),
  find: (input, { state }) => ({
    key: findKeyWithoutAlias(input.KeyId, state),
    after: readMarker(input.Marker, (text) => /^[0-9a-f]{64}$/.test(text)),
  }),
  permissions: (_input, { key }) => [{ action: 'kms:ListKeyRotations', key }],
  run({ IncludeKeyMaterial, Limit = 100 }, { key, after }, { state }) {
    requireKeyState('ListKeyRotations', key)
    const listed = key.materials.filter(
      ({ rotation }) => IncludeKeyMaterial === 'ALL_KEY_MATERIAL' || rotation !== undefined,
    )
    const start = startAfter(listed, after)
    const { items, more } = page(listed.slice(start, start + Limit + 1), Limit, ({ id }) => id)
    return { Rotations: items.map((material) => entry(material, key, state)), ...more }
  },
})

function startAfter(materials: readonly KeyMaterial[], after: string): number {
  if (after === '') return 0
  const index = materials.findIndex(({ id }) => id === after)
  if (index < 0) throw new AwsException('InvalidMarkerException', 'Could not deserialize marker')
  return index + 1
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_RotationsListEntry.html */
function entry(material: KeyMaterial, key: Key, state: State): Record<string, unknown> {
  const { id, rotation } = material
  return {
    KeyId: key.arn,
    KeyMaterialId: id,
    KeyMaterialState: materialState(material, key, state),
    RotationDate: rotation && epochSeconds(rotation.date),
    RotationType: rotation?.type,
    ...(key.origin === 'EXTERNAL' ? imported(material) : {}),
  }
}

function imported({ description, expiresAt, isPresent }: KeyMaterial): Record<string, unknown> {
  return {
    KeyMaterialDescription: description,
    ImportState: isPresent ? 'IMPORTED' : 'PENDING_IMPORT',
    ...(isPresent
      ? {
          ExpirationModel: expiresAt === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
          ValidTo: expiresAt && epochSeconds(expiresAt),
        }
      : {}),
  }
}

function materialState({ id, state: stored }: KeyMaterial, key: Key, { keys }: State): string {
  if (stored !== 'PENDING_ROTATION' || key.multiRegion === undefined) return stored
  return keys.regionsWithoutMaterial(key, id).length > 0 ? 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION' : stored
}
