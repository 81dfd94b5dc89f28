import { z } from 'zod'
import { groupArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { groupExists } from './create-group.ts'
import { entityPermission } from './entity-permission.ts'
import { groupName, path } from './members.ts'
import { existing, seekGroup } from './sought.ts'

/** Needs the permission for the old ARN and for the new one. https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html */
export const updateGroup = operation({
  name: 'UpdateGroup',
  readOnly: false,
  input: z.object({ GroupName: groupName, NewGroupName: groupName.optional(), NewPath: path.optional() }),
  find: (input, call) => seekGroup(input.GroupName, call),
  permissions(input, group, { state }) {
    const newPath = input.NewPath ?? group.entity?.path ?? '/'
    const newName = input.NewGroupName ?? group.entity?.groupName ?? input.GroupName
    const permission = entityPermission('iam:UpdateGroup', group)
    return [permission, { ...permission, resource: groupArn(state.account.accountId, newPath, newName) }]
  },
  run({ NewGroupName, NewPath }, sought, { state }) {
    const group = existing(sought)
    const namesake = NewGroupName === undefined ? undefined : state.groups.named(NewGroupName)
    if (NewGroupName !== undefined && namesake !== undefined && namesake.groupId !== group.groupId) {
      throw groupExists(NewGroupName)
    }
    state.groups.rename(group, NewGroupName ?? group.groupName, NewPath ?? group.path)
    return undefined
  },
})
