import { z } from 'zod'
import { userArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { userExists } from './create-user.ts'
import { entityPermission } from './entity-permission.ts'
import { newUserName, path, userName } from './members.ts'
import { existing, seekUser } from './sought.ts'

/** Needs the permission for the old ARN and for the new one. https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html */
export const updateUser = operation({
  name: 'UpdateUser',
  readOnly: false,
  input: z.object({ NewPath: path.optional(), NewUserName: newUserName.optional(), UserName: userName }),
  find: (input, call) => seekUser(input.UserName, call),
  permissions(input, user, { state }) {
    const newPath = input.NewPath ?? user.entity?.path ?? '/'
    const newName = input.NewUserName ?? user.entity?.userName ?? input.UserName
    const permission = entityPermission('iam:UpdateUser', user)
    return [permission, { ...permission, resource: userArn(state.account.accountId, newPath, newName) }]
  },
  run({ NewPath, NewUserName }, sought, { state }) {
    const user = existing(sought)
    const namesake = NewUserName === undefined ? undefined : state.users.named(NewUserName)
    if (NewUserName !== undefined && namesake !== undefined && namesake.userId !== user.userId) {
      throw userExists(NewUserName)
    }
    state.users.rename(user, NewUserName ?? user.userName, NewPath ?? user.path)
    return undefined
  },
})
