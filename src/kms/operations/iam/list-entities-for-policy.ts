import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers, path, policyArn } from './members.ts'
import { page } from './pages.ts'
import { existing, seekPolicy } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html */
export const listEntitiesForPolicy = operation({
  name: 'ListEntitiesForPolicy',
  readOnly: true,
  input: z.object({
    ...pageMembers,
    EntityFilter: z.enum(['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy']).optional(),
    PathPrefix: path.default('/'),
    PolicyArn: policyArn,
    PolicyUsageFilter: z.enum(['PermissionsPolicy', 'PermissionsBoundary']).optional(),
  }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:ListEntitiesForPolicy', policy)],
  run(input, sought, { state }) {
    const { policyId } = existing(sought)
    // There are no permissions boundaries, so no policy is used as one.
    const ownerIds =
      input.PolicyUsageFilter === 'PermissionsBoundary' ? [] : state.attachedPolicies.ownerIdsOf(policyId)
    const isWanted = (kind: string, entity: { path: string }): boolean =>
      (input.EntityFilter ?? kind) === kind && entity.path.startsWith(input.PathPrefix)
    const wanted = ownerIds.filter((ownerId) => {
      const [user, group] = [state.users.withId(ownerId), state.groups.withId(ownerId)]
      if (user !== undefined) return isWanted('User', user)
      if (group !== undefined) return isWanted('Group', group)
      const role = state.roles.withId(ownerId)
      return role !== undefined && isWanted('Role', role)
    })
    const { items, more } = page(wanted, input, (ownerId) => ownerId)
    return {
      PolicyGroups: items
        .flatMap((id) => state.groups.withId(id) ?? [])
        .map(({ groupName, groupId }) => ({ GroupName: groupName, GroupId: groupId })),
      PolicyUsers: items
        .flatMap((id) => state.users.withId(id) ?? [])
        .map(({ userName, userId }) => ({ UserName: userName, UserId: userId })),
      PolicyRoles: items
        .flatMap((id) => state.roles.withId(id) ?? [])
        .map(({ roleName, roleId }) => ({ RoleName: roleName, RoleId: roleId })),
      ...more,
    }
  },
})
