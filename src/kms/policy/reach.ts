import type { Principal } from '../principal.ts'
import { type PrincipalName, readAwsPrincipal } from './principals.ts'

/** How a statement comes to be about a principal: by its own name, its role's, its account's, or everyone's. */
export type Reach = 'itself' | 'role' | 'account' | 'everyone'

/** By which of the names the principal is meant. */
export function reaches(names: readonly PrincipalName[], principal: Principal): Reach[] {
  return names.flatMap((name) => reach(name, principal) ?? [])
}

/** The same for a grant. A user or role whose unique id is not known is nobody. */
export function reachOfGrantee(
  { granteePrincipal, granteeId = '' }: { granteePrincipal: string; granteeId: string | undefined },
  principal: Principal,
): Reach | undefined {
  const name = readAwsPrincipal(granteePrincipal)
  return reach(name.type === 'identity' ? { ...name, uniqueId: granteeId } : name, principal)
}

function reach(name: PrincipalName, principal: Principal): Reach | undefined {
  switch (name.type) {
    case 'everyone':
      return 'everyone'
    case 'account':
      if (name.accountId !== principal.accountId) return undefined
      if (principal.type === 'WebIdentityUser') return undefined
      return principal.type === 'Root' ? 'itself' : 'account'
    case 'identity':
      return identityReach(name, principal)
    case 'federated':
      return principal.type === 'WebIdentityUser' && principal.arn === name.arn ? 'itself' : undefined
    case 'service':
      return undefined
  }
}

/** A unique id says who is meant, whatever the name is by now: a user may have been renamed. */
function identityReach(
  { arn, uniqueId }: { arn: string; uniqueId: string | undefined },
  principal: Principal,
): Reach | undefined {
  const means = (who: { arn: string; id: string }): boolean =>
    uniqueId === undefined ? arn === who.arn : uniqueId === who.id
  if (principal.type === 'Root' || principal.type === 'WebIdentityUser') return undefined
  if (means({ arn: principal.arn, id: principal.principalId })) return 'itself'
  if (principal.type !== 'AssumedRole') return undefined
  return means({ arn: principal.role.arn, id: principal.role.roleId }) ? 'role' : undefined
}
