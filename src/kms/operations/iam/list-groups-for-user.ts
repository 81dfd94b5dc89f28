import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers, userName } from './members.ts'
import { page } from './pages.ts'
import { existing, seekUser } from './sought.ts'
import { groupStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html */
export const listGroupsForUser = operation({
  name: 'ListGroupsForUser',
  readOnly: true,
  input: z.object({ ...pageMembers, UserName: userName }),
  find: (input, call) => seekUser(input.UserName, call),
  permissions: (_input, user) => [entityPermission('iam:ListGroupsForUser', user)],
  run(input, user, { state }) {
    const groups = state.groups.ofUser(existing(user).userId)
    const { items, more } = page(groups, input, ({ groupName }) => groupName.toLowerCase())
    return { Groups: items.map(groupStructure), ...more }
  },
})
