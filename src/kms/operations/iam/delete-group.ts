import { z } from 'zod'
import { operation } from '../operation.ts'
import { deleteConflict, requireNoPolicies } from './delete-conflict.ts'
import { entityPermission } from './entity-permission.ts'
import { groupName } from './members.ts'
import { existing, seekGroup } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html */
export const deleteGroup = operation({
  name: 'DeleteGroup',
  readOnly: false,
  input: z.object({ GroupName: groupName }),
  find: (input, call) => seekGroup(input.GroupName, call),
  permissions: (_input, group) => [entityPermission('iam:DeleteGroup', group)],
  run(_input, sought, { state }) {
    const group = existing(sought)
    if (state.groups.memberIds(group).length > 0) throw deleteConflict('remove users from group')
    requireNoPolicies(group.groupId, state)
    state.groups.delete(group)
    return undefined
  },
})
