import { z } from 'zod'
import { aliasArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import {
  aliasName,
  keyOfAlias,
  requireAliasPrefix,
  requireNoAlias,
  requireRoomForAlias,
} from './alias-members.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/**
 * Amazon asks that both keys are of one type and usage; here all keys are.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html
 */
export const updateAlias = operation({
  name: 'UpdateAlias',
  readOnly: false,
  input: z.object({ AliasName: aliasName, TargetKeyId: keyId }),
  find({ AliasName, TargetKeyId }, { state }) {
    requireAliasPrefix(AliasName)
    requireNoAlias(TargetKeyId)
    return { from: keyOfAlias(AliasName, state), to: findKeyWithoutAlias(TargetKeyId, state) }
  },
  permissions: ({ AliasName }, { from, to }, { state }) => [
    { action: 'kms:UpdateAlias', resource: aliasArn(state.account, AliasName) },
    { action: 'kms:UpdateAlias', key: from },
    { action: 'kms:UpdateAlias', key: to },
  ],
  run({ AliasName }, { from, to }, { state }) {
    requireKeyState('UpdateAlias', to)
    if (from.keyId !== to.keyId) requireRoomForAlias(to, state)
    state.aliases.update(AliasName, to.keyId)
    return undefined
  },
})
