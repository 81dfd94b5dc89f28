import { keyArn, rootUserArn } from '../../arn.ts'
import { epochSeconds } from '../../protocol/json.ts'
import type { Grant } from '../../state/grants.ts'
import type { State } from '../call.ts'
import { shownConstraints } from './grant-constraints.ts'
import { shownPrincipal } from './grant-principals.ts'

/** Amazon's bound of the lists of grants. */
export const mostGrantsOnAPage = 100

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html */
export function grantEntry(grant: Grant, state: State): object {
  return {
    KeyId: keyArn(state.account, grant.keyId),
    GrantId: grant.grantId,
    // Amazon's lists have an empty name for a grant without one.
    Name: grant.name ?? '',
    CreationDate: epochSeconds(grant.createdAt),
    GranteePrincipal: shownGrantee(grant, state),
    ...(grant.retiringPrincipal !== undefined && {
      RetiringPrincipal: shownPrincipal({ arn: grant.retiringPrincipal, id: grant.retiringId }, state),
    }),
    IssuingAccount: rootUserArn(state.account.accountId),
    Operations: grant.operations,
    ...(grant.constraints && { Constraints: shownConstraints(grant.constraints) }),
  }
}

export function shownGrantee(grant: Grant, state: State): string {
  return shownPrincipal({ arn: grant.granteePrincipal, id: grant.granteeId }, state)
}
