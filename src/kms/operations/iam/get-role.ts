import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { roleName } from './members.ts'
import { existing, seekRole } from './sought.ts'
import { wholeRoleStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
export const getRole = operation({
  name: 'GetRole',
  readOnly: true,
  input: z.object({ RoleName: roleName }),
  find: (input, call) => seekRole(input.RoleName, call),
  permissions: (_input, role) => [entityPermission('iam:GetRole', role)],
  run: (_input, role, { state }) => ({ Role: wholeRoleStructure(existing(role), state) }),
})
