import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { maxSessionDuration, roleDescription, roleName } from './members.ts'
import { existing, seekRole } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html */
export const updateRole = operation({
  name: 'UpdateRole',
  readOnly: false,
  input: z.object({
    Description: roleDescription.optional(),
    MaxSessionDuration: maxSessionDuration.optional(),
    RoleName: roleName,
  }),
  find: (input, call) => seekRole(input.RoleName, call),
  permissions: (_input, role) => [entityPermission('iam:UpdateRole', role)],
  run({ Description, MaxSessionDuration }, sought, { state }) {
    const role = existing(sought)
    state.roles.update(role, {
      description: Description ?? role.description,
      maxSessionSeconds: MaxSessionDuration ?? role.maxSessionSeconds,
    })
    return {}
  },
})
