import { z } from 'zod'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { noSuchInlinePolicy } from './get-inline-policy.ts'
import { policyName } from './members.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { existing } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html */
export const deleteUserPolicy = deleteInlinePolicy(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html */
export const deleteGroupPolicy = deleteInlinePolicy(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html */
export const deleteRolePolicy = deleteInlinePolicy(roleAsOwner)

function deleteInlinePolicy<Input>(kind: OwnerKind<Input>): Operation<undefined> {
  const name = `Delete${kind.label}Policy`
  return operation({
    name,
    readOnly: false,
    input: z.intersection(kind.input, z.object({ PolicyName: policyName })),
    find: (input, call) => kind.seek(input, call),
    permissions: (_input, owner) => [entityPermission(`iam:${name}`, owner)],
    run({ PolicyName }, sought, { state }) {
      const { ownerId } = existing(sought)
      if (!state.inlinePolicies.of(ownerId).has(PolicyName)) throw noSuchInlinePolicy(kind.label, PolicyName)
      state.inlinePolicies.delete(ownerId, PolicyName)
      return undefined
    },
  })
}
