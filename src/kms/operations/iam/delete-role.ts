import { z } from 'zod'
import { operation } from '../operation.ts'
import { requireNoPolicies } from './delete-conflict.ts'
import { entityPermission } from './entity-permission.ts'
import { roleName } from './members.ts'
import { existing, seekRole } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html */
export const deleteRole = operation({
  name: 'DeleteRole',
  readOnly: false,
  input: z.object({ RoleName: roleName }),
  find: (input, call) => seekRole(input.RoleName, call),
  permissions: (_input, role) => [entityPermission('iam:DeleteRole', role)],
  run(_input, sought, { state }) {
    const role = existing(sought)
    requireNoPolicies(role.roleId, state)
    state.roles.delete(role)
    return undefined
  },
})
