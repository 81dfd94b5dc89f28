import { z } from 'zod'
import type { XmlStructure } from '../../protocol/xml.ts'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers } from './members.ts'
import { page } from './pages.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { existing } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html */
export const listUserPolicies = listInlinePolicies(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html */
export const listGroupPolicies = listInlinePolicies(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html */
export const listRolePolicies = listInlinePolicies(roleAsOwner)

function listInlinePolicies<Input>(kind: OwnerKind<Input>): Operation<XmlStructure> {
  const name = `List${kind.label}Policies`
  return operation({
    name,
    readOnly: true,
    input: z.intersection(kind.input, z.object(pageMembers)),
    find: (input, call) => kind.seek(input, call),
    permissions: (_input, owner) => [entityPermission(`iam:${name}`, owner)],
    run(input, sought, { state }) {
      const names = [...state.inlinePolicies.of(existing(sought).ownerId).keys()]
      const { items, more } = page(names, input, (policyName) => policyName)
      return { PolicyNames: items, ...more }
    },
  })
}
