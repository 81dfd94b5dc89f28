import { assumedRoleArn, rootUserArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { State } from '../call.ts'

/** Whom a grant names. */
export interface GrantPrincipal {
  readonly arn: string
  /** The unique id of a user or role, with `:` and its name that of a role's session; undefined of the root user. */
  readonly id: string | undefined
}

/** Throws InvalidArnException for the ARN of nobody. */
export function findPrincipal(arn: string, state: State): GrantPrincipal {
  if (arn === rootUserArn(state.account.accountId)) return { arn, id: undefined }
  const id = uniqueId(arn, state)
  if (id === undefined) {
    throw new AwsException('InvalidArnException', `ARN does not refer to a valid principal: ${arn}`)
  }
  return { arn, id }
}

/** What lists of grants are searched by: also the unique id itself, as it is shown of who is no more. */
export function searchedId(shown: string, state: State): string {
  return uniqueId(shown, state) ?? shown
}

/** The ARN of today; of who is no more, the unique id, as at Amazon. */
export function shownPrincipal({ arn, id }: GrantPrincipal, { account, users, roles }: State): string {
  if (id === undefined) return arn
  const [ownerId = '', sessionName] = id.split(':')
  const user = users.withId(ownerId)
  if (user !== undefined) return user.arn
  const role = roles.withId(ownerId)
  if (role === undefined) return id
  return sessionName === undefined ? role.arn : assumedRoleArn(account.accountId, role.roleName, sessionName)
}

function uniqueId(arn: string, { account, users, roles }: State): string | undefined {
  const direct = users.withArn(arn)?.userId ?? roles.withArn(arn)?.roleId
  if (direct !== undefined) return direct
  const [, roleName = '', sessionName = ''] = /:assumed-role\/([^/]+)\/([\w+=,.@-]{2,64})$/.exec(arn) ?? []
  const role = roles.named(roleName)
  // Names are found in any case; an ARN is of one.
  if (role === undefined || arn !== assumedRoleArn(account.accountId, role.roleName, sessionName)) {
    return undefined
  }
  return `${role.roleId}:${sessionName}`
}
