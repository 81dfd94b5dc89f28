import { z } from 'zod'
import { type Operation, operation } from '../operation.ts'
import { attachedPolicyArn } from './condition-keys.ts'
import { entityPermission } from './entity-permission.ts'
import { policyArn } from './members.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { quotas, requireRoom } from './quotas.ts'
import { existing, seekPolicy } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html */
export const attachUserPolicy = attachPolicy(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html */
export const attachGroupPolicy = attachPolicy(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html */
export const attachRolePolicy = attachPolicy(roleAsOwner)

function attachPolicy<Input>(kind: OwnerKind<Input>): Operation<undefined> {
  const name = `Attach${kind.label}Policy`
  return operation({
    name,
    readOnly: false,
    input: z.intersection(kind.input, z.object({ PolicyArn: policyArn })),
    find: (input, call) => ({ owner: kind.seek(input, call), policy: seekPolicy(input.PolicyArn, call) }),
    permissions: (input, { owner }) => [
      entityPermission(`iam:${name}`, owner, attachedPolicyArn(input.PolicyArn)),
    ],
    run(_input, { owner, policy }, { state }) {
      const { ownerId } = existing(owner)
      const { policyId } = existing(policy)
      if (state.attachedPolicies.has(ownerId, policyId)) return undefined
      const attached = state.attachedPolicies.policyIdsOf(ownerId).length
      requireRoom(`PoliciesPer${kind.label}`, attached, quotas.attachedPoliciesPerEntity)
      state.attachedPolicies.attach(ownerId, policyId)
      return undefined
    },
  })
}
