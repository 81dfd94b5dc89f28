import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { roleDescription, roleName } from './members.ts'
import { existing, seekRole } from './sought.ts'
import { wholeRoleStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html */
export const updateRoleDescription = operation({
  name: 'UpdateRoleDescription',
  readOnly: false,
  input: z.object({ Description: roleDescription, RoleName: roleName }),
  find: (input, call) => seekRole(input.RoleName, call),
  permissions: (_input, role) => [entityPermission('iam:UpdateRoleDescription', role)],
  run({ Description }, role, { state }) {
    const changed = state.roles.update(existing(role), { description: Description })
    return { Role: wholeRoleStructure(changed, state) }
  },
})
