import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { findGrant } from './find-grant.ts'
import { grantId, requireGrantIdForm } from './grant-members.ts'
import { requireKeyState } from './key-states.ts'
import { stopDryRun } from './key-use.ts'
import { flag, keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html */
export const revokeGrant = operation({
  name: 'RevokeGrant',
  readOnly: false,
  input: z.object({ DryRun: flag, GrantId: grantId, KeyId: keyId }),
  find({ KeyId, GrantId }, { state }) {
    requireGrantIdForm(GrantId)
    return findKeyWithoutAlias(KeyId, state)
  },
  permissions: (_input, key) => [
    {
      action: 'kms:RevokeGrant',
      key,
      conditionKeys: new Map([['kms:grantisforawsresource', ['false']]]),
    },
  ],
  run({ DryRun, GrantId }, key, { state }) {
    requireKeyState('RevokeGrant', key)
    const grant = findGrant(key, GrantId, state)
    stopDryRun(DryRun)
    state.grants.delete(grant)
    return undefined
  },
})
