import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { groupName, pageMembers } from './members.ts'
import { page } from './pages.ts'
import { existing, seekGroup } from './sought.ts'
import { groupStructure, userStructure } from './structures.ts'

/** With the users that are in it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html */
export const getGroup = operation({
  name: 'GetGroup',
  readOnly: true,
  input: z.object({ ...pageMembers, GroupName: groupName }),
  find: (input, call) => seekGroup(input.GroupName, call),
  permissions: (_input, group) => [entityPermission('iam:GetGroup', group)],
  run(input, sought, { state }) {
    const group = existing(sought)
    const users = state.groups.memberIds(group).flatMap((userId) => state.users.withId(userId) ?? [])
    const { items, more } = page(users, input, ({ userName }) => userName.toLowerCase())
    return { Group: groupStructure(group), Users: items.map(userStructure), ...more }
  },
})
