import { rootUserArn, userArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { AccessKey } from '../../state/access-keys.ts'
import type { User } from '../../state/users.ts'
import type { Call, State } from '../call.ts'

/** Whose access keys a request is about: a user's, or (undefined) those of the account's root user. */
export interface Owner {
  readonly user: User | undefined
  readonly arn: string
}

/** The named user; without a name, whoever signed the request. */
export function findOwner(userName: string | undefined, { caller, state }: Call): Owner {
  const name = userName ?? (caller.type === 'IAMUser' ? caller.userName : undefined)
  if (name === undefined) return { user: undefined, arn: rootUserArn(state.account.accountId) }
  const user = state.users.named(name)
  // Not NoSuchEntity here: who may not ask about users must not learn which there are.
  return { user, arn: user?.arn ?? userArn(state.account.accountId, '/', name) }
}

/** Throws NoSuchEntity when the owner was named and does not exist. */
export function requireOwner(owner: Owner, userName: string | undefined): void {
  if (userName !== undefined && owner.user === undefined) {
    throw new AwsException('NoSuchEntity', `The user with name ${userName} cannot be found.`)
  }
}

/** The owner's access key of that id; throws NoSuchEntity. */
export function ownedAccessKey(accessKeyId: string, owner: Owner, state: State): AccessKey {
  const accessKey = state.accessKeys.get(accessKeyId)
  if (accessKey === undefined || accessKey.userId !== owner.user?.userId) {
    throw new AwsException('NoSuchEntity', `The Access Key with id ${accessKeyId} cannot be found.`)
  }
  return accessKey
}

/** Unlike Amazon, which has a help desk: without an active root access key nobody could get back in. */
export function keepLastRootAccessKey(accessKey: AccessKey, state: State): void {
  if (accessKey.userId !== undefined || !accessKey.active) return
  if (state.accessKeys.ofUser(undefined).filter(({ active }) => active).length > 1) return
  throw new AwsException(
    'DeleteConflict',
    "The last active access key of the account's root user must stay: create another one first.",
  )
}
