import { groupArn, roleArn, userArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Group } from '../../state/groups.ts'
import type { ManagedPolicy } from '../../state/managed-policy.ts'
import type { Role } from '../../state/roles.ts'
import type { User } from '../../state/users.ts'
import type { Call } from '../call.ts'

/**
 * What a request names, whether or not it is there: who may not ask about users must not learn which there are, so the
 * permission comes first, on the ARN that it has or would have.
 */
export interface Sought<Entity> {
  readonly entity: Entity | undefined
  readonly arn: string
  /** For conditions on `aws:ResourceTag`. Groups have none. */
  readonly tags?: ReadonlyMap<string, string> | undefined
  /** What to say when it is not there. */
  readonly missing: string
}

export function seekUser(userName: string, { state }: Call): Sought<User> {
  const entity = state.users.named(userName)
  return {
    entity,
    arn: entity?.arn ?? userArn(state.account.accountId, '/', userName),
    tags: entity?.tags,
    missing: `The user with name ${userName} cannot be found.`,
  }
}

export function seekGroup(groupName: string, { state }: Call): Sought<Group> {
  const entity = state.groups.named(groupName)
  return {
    entity,
    arn: entity?.arn ?? groupArn(state.account.accountId, '/', groupName),
    missing: `The group with name ${groupName} cannot be found.`,
  }
}

export function seekRole(roleName: string, { state }: Call): Sought<Role> {
  const entity = state.roles.named(roleName)
  return {
    entity,
    arn: entity?.arn ?? roleArn(state.account.accountId, '/', roleName),
    tags: entity?.tags,
    missing: `The role with name ${roleName} cannot be found.`,
  }
}

export function seekPolicy(arn: string, { state }: Call): Sought<ManagedPolicy> {
  const entity = state.managedPolicies.withArn(arn)
  return {
    entity,
    arn,
    tags: entity?.tags,
    missing: `Policy ${arn} does not exist or is not attachable.`,
  }
}

/** Throws NoSuchEntity. */
export function existing<Entity>(sought: Sought<Entity>): Entity {
  if (sought.entity === undefined) throw new AwsException('NoSuchEntity', sought.missing)
  return sought.entity
}

/** A policy that can be changed; throws NoSuchEntity, and InvalidInput for one that is built in. */
export function ownPolicy(sought: Sought<ManagedPolicy>): ManagedPolicy {
  const policy = existing(sought)
  if (policy.builtIn) {
    throw new AwsException('InvalidInput', `The policy ${policy.arn} is built in and can't be changed.`)
  }
  return policy
}
