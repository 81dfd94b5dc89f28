import { z } from 'zod'
import { operation } from '../operation.ts'
import { deleteConflict, requireNoPolicies } from './delete-conflict.ts'
import { entityPermission } from './entity-permission.ts'
import { userName } from './members.ts'
import { existing, seekUser } from './sought.ts'

/** Refused while anything hangs on the user. https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html */
export const deleteUser = operation({
  name: 'DeleteUser',
  readOnly: false,
  input: z.object({ UserName: userName }),
  find: (input, call) => seekUser(input.UserName, call),
  permissions: (_input, user) => [entityPermission('iam:DeleteUser', user)],
  run(_input, sought, { state }) {
    const user = existing(sought)
    requireNoPolicies(user.userId, state)
    if (state.accessKeys.ofUser(user.userId).length > 0) throw deleteConflict('delete access keys')
    if (state.groups.ofUser(user.userId).length > 0) throw deleteConflict('remove users from group')
    if (state.mfaDevices.ofOwner(user.userId).length > 0) throw deleteConflict('deactivate MFA device')
    state.users.delete(user)
    return undefined
  },
})
