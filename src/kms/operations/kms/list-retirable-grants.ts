import { z } from 'zod'
import { notYet } from '../../protocol/validation.ts'
import { operation } from '../operation.ts'
import { grantEntry, mostGrantsOnAPage } from './grant-entry.ts'
import { isGrantId, principal } from './grant-members.ts'
import { findPrincipal } from './grant-principals.ts'
import { limit, marker } from './members.ts'
import { firstOf, page, readMarker } from './pages.ts'

/**
 * Permission is asked for the retiring principal, not for the keys.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html
 */
export const listRetirableGrants = operation({
  name: 'ListRetirableGrants',
  readOnly: true,
  input: z.object({
    Limit: limit,
    Marker: marker,
    RetiringPrincipal: principal,
    RetiringServicePrincipal: notYet('RetiringServicePrincipal'),
  }),
  find: (input) => readMarker(input.Marker, isGrantId),
  permissions: ({ RetiringPrincipal }) => [
    { action: 'kms:ListRetirableGrants', resource: RetiringPrincipal },
  ],
  run({ Limit = 50, RetiringPrincipal }, after, { state }) {
    const { arn, id } = findPrincipal(RetiringPrincipal, state)
    const limited = Math.min(Limit, mostGrantsOnAPage)
    const grants = firstOf(state.grants.retirableBy(id ?? arn, after), limited + 1)
    const { items, more } = page(grants, limited, (grant) => grant.grantId)
    return { Grants: items.map((grant) => grantEntry(grant, state)), ...more }
  },
})
