import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { groupName, userName } from './members.ts'
import { quotas, requireRoom } from './quotas.ts'
import { existing, seekGroup, seekUser } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html */
export const addUserToGroup = operation({
  name: 'AddUserToGroup',
  readOnly: false,
  input: z.object({ GroupName: groupName, UserName: userName }),
  find: (input, call) => ({ group: seekGroup(input.GroupName, call), user: seekUser(input.UserName, call) }),
  permissions: (_input, { group }) => [entityPermission('iam:AddUserToGroup', group)],
  run(_input, found, { state }) {
    const group = existing(found.group)
    const { userId } = existing(found.user)
    const groups = state.groups.ofUser(userId)
    if (groups.some(({ groupId }) => groupId === group.groupId)) return undefined
    requireRoom('GroupsPerUser', groups.length, quotas.groupsPerUser)
    state.groups.add(group, userId)
    return undefined
  },
})
