import { z } from 'zod'
import { parseIdentityPolicy } from '../../policy/document.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { policyDocument, policyName } from './members.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { policySize, quotas } from './quotas.ts'
import { existing } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html */
export const putUserPolicy = putInlinePolicy(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html */
export const putGroupPolicy = putInlinePolicy(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html */
export const putRolePolicy = putInlinePolicy(roleAsOwner)

function putInlinePolicy<Input>(kind: OwnerKind<Input>): Operation<undefined> {
  const name = `Put${kind.label}Policy`
  return operation({
    name,
    readOnly: false,
    input: z.intersection(kind.input, z.object({ PolicyDocument: policyDocument, PolicyName: policyName })),
    find: (input, call) => kind.seek(input, call),
    permissions: (_input, owner) => [entityPermission(`iam:${name}`, owner)],
    run({ PolicyDocument, PolicyName }, sought, { state }) {
      const { ownerId } = existing(sought)
      const others = [...state.inlinePolicies.of(ownerId)].filter(([other]) => other !== PolicyName)
      requireSize(kind.label, [PolicyDocument, ...others.map(([, document]) => document)])
      parseIdentityPolicy(PolicyDocument)
      state.inlinePolicies.put(ownerId, PolicyName, PolicyDocument)
      return undefined
    },
  })
}

/** The quota is for all inline policies together. */
function requireSize(label: keyof typeof quotas.inlinePolicySize, documents: readonly string[]): void {
  const quota = quotas.inlinePolicySize[label]
  const size = documents.reduce((sum, document) => sum + policySize(document), 0)
  if (size > quota) {
    throw new AwsException(
      'LimitExceededException',
      `Maximum policy size of ${quota} bytes exceeded for ${label.toLowerCase()}`,
    )
  }
}
