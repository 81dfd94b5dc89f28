import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { groupName, userName } from './members.ts'
import { existing, seekGroup, seekUser } from './sought.ts'

/** Removing a user that is not in it changes nothing. https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html */
export const removeUserFromGroup = operation({
  name: 'RemoveUserFromGroup',
  readOnly: false,
  input: z.object({ GroupName: groupName, UserName: userName }),
  find: (input, call) => ({ group: seekGroup(input.GroupName, call), user: seekUser(input.UserName, call) }),
  permissions: (_input, { group }) => [entityPermission('iam:RemoveUserFromGroup', group)],
  run(_input, { group, user }, { state }) {
    state.groups.remove(existing(group), existing(user).userId)
    return undefined
  },
})
