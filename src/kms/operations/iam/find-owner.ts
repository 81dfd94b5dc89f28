import { rootUserArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { AccessKey } from '../../state/access-keys.ts'
import type { User } from '../../state/users.ts'
import type { Call, State } from '../call.ts'
import { existing, type Sought, seekUser } from './sought.ts'

/** Whose access keys a request is about: a user's, or those of the account's root user. */
export type Owner = Sought<User> | typeof rootOwner

const rootOwner = 'root'

/** The named user; without a name, whoever signed the request, which must not be an assumed role then. */
export function findOwner(userName: string | undefined, call: Call): Owner {
  if (userName !== undefined) return seekUser(userName, call)
  switch (call.caller.type) {
    case 'IAMUser':
      return seekUser(call.caller.userName, call)
    case 'Root':
      return rootOwner
    case 'AssumedRole':
    case 'WebIdentityUser':
      throw new AwsException(
        'ValidationException',
        'Must specify userName when calling with non-User credentials',
      )
  }
}

export function ownerArn(owner: Owner, { state }: Call): string {
  return owner === rootOwner ? rootUserArn(state.account.accountId) : owner.arn
}

export function ownerTags(owner: Owner): ReadonlyMap<string, string> | undefined {
  return owner === rootOwner ? undefined : owner.tags
}

/** Undefined for the root user. Throws NoSuchEntity. */
export function ownerUser(owner: Owner): User | undefined {
  return owner === rootOwner ? undefined : existing(owner)
}

/** The access key of that id, which must belong to the user (undefined: to the root user); throws NoSuchEntity. */
export function ownedAccessKey(accessKeyId: string, user: User | undefined, state: State): AccessKey {
  const accessKey = state.accessKeys.get(accessKeyId)
  if (accessKey === undefined || accessKey.userId !== user?.userId) throw noSuchAccessKey(accessKeyId)
  return accessKey
}

export function noSuchAccessKey(accessKeyId: string): AwsException {
  return new AwsException('NoSuchEntity', `The Access Key with id ${accessKeyId} cannot be found.`)
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
