import { z } from 'zod'
import { aliasArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { aliasName, keyOfAlias, requireAliasPrefix } from './alias-members.ts'
import { requireKeyState } from './key-states.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html */
export const deleteAlias = operation({
  name: 'DeleteAlias',
  readOnly: false,
  input: z.object({ AliasName: aliasName }),
  find({ AliasName }, { state }) {
    requireAliasPrefix(AliasName)
    return keyOfAlias(AliasName, state)
  },
  permissions: ({ AliasName }, key, { state }) => [
    { action: 'kms:DeleteAlias', resource: aliasArn(state.account, AliasName) },
    { action: 'kms:DeleteAlias', key },
  ],
  run({ AliasName }, key, { state }) {
    requireKeyState('DeleteAlias', key)
    state.aliases.delete(AliasName)
    return undefined
  },
})
