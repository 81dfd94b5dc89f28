import { z } from 'zod'
import type { XmlStructure } from '../../protocol/xml.ts'
import type { ManagedPolicy } from '../../state/managed-policy.ts'
import type { State } from '../call.ts'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers, policyPath } from './members.ts'
import { page } from './pages.ts'
import { groupAsOwner, type OwnerKind, roleAsOwner, userAsOwner } from './policy-owner.ts'
import { existing } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html */
export const listAttachedUserPolicies = listAttached(userAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html */
export const listAttachedGroupPolicies = listAttached(groupAsOwner)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html */
export const listAttachedRolePolicies = listAttached(roleAsOwner)

function listAttached<Input>(kind: OwnerKind<Input>): Operation<XmlStructure> {
  const name = `ListAttached${kind.label}Policies`
  return operation({
    name,
    readOnly: true,
    input: z.intersection(kind.input, z.object({ ...pageMembers, PathPrefix: policyPath.default('/') })),
    find: (input, call) => kind.seek(input, call),
    permissions: (_input, owner) => [entityPermission(`iam:${name}`, owner)],
    run(input, sought, { state }) {
      const attached = attachedPolicies(existing(sought).ownerId, state)
      const wanted = attached.filter(({ path }) => path.startsWith(input.PathPrefix))
      const { items, more } = page(wanted, input, ({ arn }) => arn)
      return { AttachedPolicies: items.map(attachedStructure), ...more }
    },
  })
}

export function attachedPolicies(
  ownerId: string,
  { attachedPolicies, managedPolicies }: State,
): ManagedPolicy[] {
  return attachedPolicies.policyIdsOf(ownerId).flatMap((policyId) => managedPolicies.withId(policyId) ?? [])
}

export function attachedStructure({ policyName, arn }: ManagedPolicy): XmlStructure {
  return { PolicyName: policyName, PolicyArn: arn }
}
