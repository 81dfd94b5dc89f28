import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { type Operation, operation } from '../operation.ts'
import { attachedPolicyArn } from './condition-keys.ts'
import { entityPermission } from './entity-permission.ts'
import { policyArn } from './members.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { existing, seekPolicy } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html */
export const detachUserPolicy = detachPolicy(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html */
export const detachGroupPolicy = detachPolicy(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html */
export const detachRolePolicy = detachPolicy(roleAsOwner)

function detachPolicy<Input>(kind: OwnerKind<Input>): Operation<undefined> {
  const name = `Detach${kind.label}Policy`
  return operation({
    name,
    readOnly: false,
    input: z.intersection(kind.input, z.object({ PolicyArn: policyArn })),
    find: (input, call) => ({ owner: kind.seek(input, call), policy: seekPolicy(input.PolicyArn, call) }),
    permissions: (input, { owner }) => [
      entityPermission(`iam:${name}`, owner, attachedPolicyArn(input.PolicyArn)),
    ],
    run(input, { owner, policy }, { state }) {
      const { ownerId } = existing(owner)
      const policyId = policy.entity?.policyId
      if (policyId === undefined || !state.attachedPolicies.has(ownerId, policyId)) {
        throw new AwsException('NoSuchEntity', `Policy ${input.PolicyArn} was not found.`)
      }
      state.attachedPolicies.detach(ownerId, policyId)
      return undefined
    },
  })
}
