import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import type { XmlStructure } from '../../protocol/xml.ts'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { policyName } from './members.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { existing } from './sought.ts'
import { encodedDocument } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html */
export const getUserPolicy = getInlinePolicy(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html */
export const getGroupPolicy = getInlinePolicy(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html */
export const getRolePolicy = getInlinePolicy(roleAsOwner)

function getInlinePolicy<Input>(kind: OwnerKind<Input>): Operation<XmlStructure> {
  const name = `Get${kind.label}Policy`
  return operation({
    name,
    readOnly: true,
    input: z.intersection(kind.input, z.object({ PolicyName: policyName })),
    find: (input, call) => kind.seek(input, call),
    permissions: (_input, owner) => [entityPermission(`iam:${name}`, owner)],
    run({ PolicyName }, sought, { state }) {
      const owner = existing(sought)
      const document = state.inlinePolicies.of(owner.ownerId).get(PolicyName)
      if (document === undefined) throw noSuchInlinePolicy(kind.label, PolicyName)
      return { ...owner.named, PolicyName, PolicyDocument: encodedDocument(document) }
    },
  })
}

export function noSuchInlinePolicy(label: string, policyName: string): AwsException {
  return new AwsException(
    'NoSuchEntity',
    `The ${label.toLowerCase()} policy with name ${policyName} cannot be found.`,
  )
}
