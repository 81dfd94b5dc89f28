import { z } from 'zod'
import { notYet } from '../../protocol/validation.ts'
import type { Grant } from '../../state/grants.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { grantEntry, mostGrantsOnAPage } from './grant-entry.ts'
import { grantId, isGrantId, principal, requireGrantIdForm } from './grant-members.ts'
import { searchedId } from './grant-principals.ts'
import { requireKeyState } from './key-states.ts'
import { keyId, limit, marker } from './members.ts'
import { firstOf, page, readMarker } from './pages.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html */
export const listGrants = operation({
  name: 'ListGrants',
  readOnly: true,
  input: z.object({
    GranteePrincipal: principal.optional(),
    GranteeServicePrincipal: notYet('GranteeServicePrincipal'),
    GrantId: grantId.optional(),
    KeyId: keyId,
    Limit: limit,
    Marker: marker,
  }),
  find(input, { state }) {
    if (input.GrantId !== undefined) requireGrantIdForm(input.GrantId)
    return {
      key: findKeyWithoutAlias(input.KeyId, state),
      after: readMarker(input.Marker, isGrantId),
    }
  },
  permissions: (_input, { key }) => [
    {
      action: 'kms:ListGrants',
      key,
      conditionKeys: new Map([['kms:grantisforawsresource', ['false']]]),
    },
  ],
  run({ Limit = 50, ...filter }, { key, after }, { state }) {
    requireKeyState('ListGrants', key)
    const limited = Math.min(Limit, mostGrantsOnAPage)
    const grants = wantedGrants(filter, { key, after }, state)
    const { items, more } = page(firstOf(grants, limited + 1), limited, (grant) => grant.grantId)
    return { Grants: items.map((grant) => grantEntry(grant, state)), ...more }
  },
})

interface Filter {
  readonly GrantId?: string | undefined
  readonly GranteePrincipal?: string | undefined
}

/** A key may have very many: what is left out is not read. */
function wantedGrants(
  { GrantId, GranteePrincipal }: Filter,
  { key: { keyId: ofKey }, after }: { key: Key; after: string },
  state: State,
): Iterable<Grant> {
  const grantee = GranteePrincipal === undefined ? undefined : searchedId(GranteePrincipal, state)
  if (GrantId === undefined) {
    return grantee === undefined
      ? state.grants.ofKey(ofKey, after)
      : state.grants.ofGrantee(ofKey, grantee, after)
  }
  const grant = state.grants.get(GrantId)
  const isWanted =
    grant?.keyId === ofKey &&
    GrantId > after &&
    (grantee === undefined || grantee === (grant.granteeId ?? grant.granteePrincipal))
  return isWanted ? [grant] : []
}
