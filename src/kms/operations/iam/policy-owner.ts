import { z } from 'zod'
import type { Call } from '../call.ts'
import { groupName, roleName, userName } from './members.ts'
import { type Sought, seekGroup, seekRole, seekUser } from './sought.ts'

/** A user, group or role, as far as policies are concerned. */
export interface PolicyOwner {
  readonly ownerId: string
  /** The member that shows which it is. */
  readonly named: Readonly<Record<string, string>>
}

/** What policies can be put into or attached to. Each of the operations about that is there once per kind. */
export interface OwnerKind<Input> {
  readonly label: 'User' | 'Group' | 'Role'
  /** The member that names one. */
  readonly input: z.ZodType<Input>
  readonly seek: (input: Input, call: Call) => Sought<PolicyOwner>
}

export const userAsOwner: OwnerKind<{ UserName: string }> = {
  label: 'User',
  input: z.object({ UserName: userName }),
  seek: ({ UserName }, call) =>
    asOwner(seekUser(UserName, call), (user) => ({
      ownerId: user.userId,
      named: { UserName: user.userName },
    })),
}

export const groupAsOwner: OwnerKind<{ GroupName: string }> = {
  label: 'Group',
  input: z.object({ GroupName: groupName }),
  seek: ({ GroupName }, call) =>
    asOwner(seekGroup(GroupName, call), (group) => ({
      ownerId: group.groupId,
      named: { GroupName: group.groupName },
    })),
}

export const roleAsOwner: OwnerKind<{ RoleName: string }> = {
  label: 'Role',
  input: z.object({ RoleName: roleName }),
  seek: ({ RoleName }, call) =>
    asOwner(seekRole(RoleName, call), (role) => ({
      ownerId: role.roleId,
      named: { RoleName: role.roleName },
    })),
}

function asOwner<Entity>(
  sought: Sought<Entity>,
  ownerOf: (entity: Entity) => PolicyOwner,
): Sought<PolicyOwner> {
  return { ...sought, entity: sought.entity === undefined ? undefined : ownerOf(sought.entity) }
}
