import { z } from 'zod'
import { operation } from '../operation.ts'
import { checkedTrust } from './checked-trust.ts'
import { entityPermission } from './entity-permission.ts'
import { policyDocument, roleName } from './members.ts'
import { existing, seekRole } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html */
export const updateAssumeRolePolicy = operation({
  name: 'UpdateAssumeRolePolicy',
  readOnly: false,
  input: z.object({ PolicyDocument: policyDocument, RoleName: roleName }),
  find: (input, call) => seekRole(input.RoleName, call),
  permissions: (_input, role) => [entityPermission('iam:UpdateAssumeRolePolicy', role)],
  run({ PolicyDocument }, role, { state }) {
    state.roles.update(existing(role), { trust: checkedTrust(PolicyDocument, state) })
    return undefined
  },
})
