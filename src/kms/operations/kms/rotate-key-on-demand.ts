import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import { maxOnDemandRotations } from '../../state/keys/key.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireNoReplica } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/** So soon before an automatic rotation there is none on demand. */
const beforeAutomatic = 20 * 60 * 1000

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html */
export const rotateKeyOnDemand = operation({
  name: 'RotateKeyOnDemand',
  readOnly: false,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:RotateKeyOnDemand', key }],
  run(_input, key, { state, receivedAt }) {
    requireNoReplica(key)
    requireKeyState('RotateKeyOnDemand', key)
    requireRotationsLeft(key)
    if (key.origin === 'EXTERNAL') requirePendingMaterial(key, state)
    requireNoRotationSoon(key, receivedAt)
    state.keys.rotate(key, { type: 'ON_DEMAND', at: receivedAt.getTime() })
    return { KeyId: key.arn }
  },
})

function requireRotationsLeft({ arn, materials }: Key): void {
  const done = materials.filter(({ rotation }) => rotation?.type === 'ON_DEMAND').length
  if (done < maxOnDemandRotations) return
  throw new AwsException(
    'LimitExceededException',
    `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`,
  )
}

function requirePendingMaterial(key: Key, { keys }: State): void {
  const pending = key.materials.find(({ state }) => state === 'PENDING_ROTATION')
  if (pending?.isPresent !== true) {
    throw new AwsException(
      'KMSInvalidStateException',
      `No available key material pending rotation for the key: ${key.arn}.`,
    )
  }
  const regions = keys.regionsWithoutMaterial(key, pending.id)
  if (regions.length > 0) {
    throw new AwsException(
      'KMSInvalidStateException',
      `The key material pending rotation has to be imported into the replica keys first, in ${regions.join(', ')}.`,
    )
  }
}

function requireNoRotationSoon({ rotation }: Key, now: Date): void {
  if (rotation === undefined || rotation.nextDate.getTime() - now.getTime() >= beforeAutomatic) return
  throw new AwsException(
    'ConflictException',
    'An automatic rotation of this key is in progress or scheduled to begin within the next 20 minutes.',
  )
}
