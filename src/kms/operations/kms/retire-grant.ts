import { z } from 'zod'
import type { ApplicableGrant } from '../../policy/grant.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Grant } from '../../state/grants.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { findGrant, findGrantOfToken } from './find-grant.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { constrainedContext, constraintConditions } from './grant-constraints.ts'
import { shownGrantee } from './grant-entry.ts'
import { grantId, grantToken, requireGrantIdForm } from './grant-members.ts'
import { shownPrincipal } from './grant-principals.ts'
import { requireKeyState } from './key-states.ts'
import { stopDryRun } from './key-use.ts'
import { flag, keyId } from './members.ts'

const input = z.object({
  DryRun: flag,
  GrantId: grantId.optional(),
  GrantToken: grantToken.optional(),
  KeyId: keyId.optional(),
})

/**
 * The grant says who may retire it: its retiring principal, and its grantee if RetireGrant is among the operations.
 * Otherwise it is the account's to decide, by its root user and by what it allows its users and roles. Amazon's key
 * policies have no say at all; here a Deny in one holds, as it does everywhere else.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
 */
export const retireGrant = operation({
  name: 'RetireGrant',
  readOnly: false,
  input,
  find: (request, { state }) => findRetired(request, state),
  permissions: (_input, { key, grant }, { state }) => [
    {
      action: 'kms:RetireGrant',
      key,
      grants: allowingToRetire(grant, state),
      encryptionContext: constrainedContext(grant.constraints),
      conditionKeys: constraintConditions(grant.constraints),
    },
  ],
  run({ DryRun }, { key, grant }, { state }) {
    requireKeyState('RetireGrant', key)
    stopDryRun(DryRun)
    state.grants.delete(grant)
    return undefined
  },
})

function findRetired(
  { GrantId, GrantToken, KeyId }: z.infer<typeof input>,
  state: State,
): { key: Key; grant: Grant } {
  if (GrantToken !== undefined && GrantId === undefined && KeyId === undefined) {
    const grant = findGrantOfToken(GrantToken, state)
    return { grant, key: findKeyWithoutAlias(grant.keyId, state) }
  }
  if (GrantToken !== undefined || GrantId === undefined || KeyId === undefined) {
    throw new AwsException(
      'ValidationException',
      'Specify either a grant token, or both a grant ID and a key ID.',
    )
  }
  requireGrantIdForm(GrantId)
  const key = findKeyWithoutAlias(KeyId, state)
  return { key, grant: findGrant(key, GrantId, state) }
}

/** By their ARNs of today; who is no more retires nothing. */
function allowingToRetire(grant: Grant, state: State): ApplicableGrant[] {
  const { retiringPrincipal: arn, retiringId: id } = grant
  const toGrantee = { ...grant, granteePrincipal: shownGrantee(grant, state) }
  const toRetirer = arn !== undefined && {
    grantId: grant.grantId,
    granteePrincipal: shownPrincipal({ arn, id }, state),
    granteeId: id,
    operations: ['RetireGrant'],
    constraints: undefined,
  }
  return [toGrantee, ...(toRetirer === false ? [] : [toRetirer])].filter(({ granteePrincipal }) =>
    granteePrincipal.startsWith('arn:'),
  )
}
