import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import { authorize, type Permission } from '../authorize.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requirePrimary } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId, region } from './members.ts'
import { servedRegion } from './replicate-key.ts'

/**
 * The caller has to be allowed it on both keys. It is done when it answers: there is no state Updating.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html
 */
export const updatePrimaryRegion = operation({
  name: 'UpdatePrimaryRegion',
  readOnly: false,
  input: z.object({ KeyId: keyId, PrimaryRegion: region }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (input, key) => [permission(key, input.PrimaryRegion)],
  run({ PrimaryRegion }, key, call) {
    requirePrimary(key)
    const there = servedRegion(PrimaryRegion, call.state)
    const replica = replicaIn(there, key)
    authorize(permission(replica, PrimaryRegion), { ...call, state: there })
    requireKeyState('UpdatePrimaryRegion', key)
    requireKeyState('UpdatePrimaryRegion', replica)
    call.state.keys.setPrimaryRegion(key, PrimaryRegion)
    call.seen.keyArns = [key.arn, replica.arn]
    return undefined
  },
})

function permission(key: Key, primaryRegion: string): Permission {
  return {
    action: 'kms:UpdatePrimaryRegion',
    key,
    conditionKeys: new Map([['kms:primaryregion', [primaryRegion]]]),
  }
}

function replicaIn({ keys, account }: State, key: Key): Key {
  const replica = keys.get(key.keyId)
  if (replica?.multiRegion?.type === 'REPLICA') return replica
  throw new AwsException(
    'NotFoundException',
    `There is no replica of the key ${key.arn} in the Region ${account.region}.`,
  )
}
