import { z } from 'zod'
import { formList } from '../../protocol/form-types.ts'
import type { XmlStructure } from '../../protocol/xml.ts'
import type { Group } from '../../state/groups.ts'
import type { ManagedPolicy } from '../../state/managed-policy.ts'
import type { Role } from '../../state/roles.ts'
import type { User } from '../../state/users.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { attachedPolicies, attachedStructure } from './list-attached-policies.ts'
import { pageMembers } from './members.ts'
import { page } from './pages.ts'
import {
  encodedDocument,
  groupStructure,
  policyStructure,
  roleLastUsed,
  trustStructure,
  userStructure,
  wholeVersionStructure,
} from './structures.ts'
import { tagList } from './tags.ts'

const kinds = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'] as const

/** One user, role, group or policy with all that says what it may do. */
interface Detail {
  readonly kind: (typeof kinds)[number]
  readonly id: string
  readonly structure: () => XmlStructure
}

/** Everybody and every policy in one answer. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html */
export const getAccountAuthorizationDetails = operation({
  name: 'GetAccountAuthorizationDetails',
  readOnly: true,
  input: z.object({ ...pageMembers, Filter: formList(z.enum(kinds)).optional() }),
  find: () => undefined,
  permissions: () => [{ action: 'iam:GetAccountAuthorizationDetails' }],
  run(input, _found, { state }) {
    const filter = input.Filter ?? []
    const wanted = details(state).filter(({ kind }) => filter.length === 0 || filter.includes(kind))
    const { items, more } = page(wanted, input, ({ id }) => id)
    const ofKind = (...wantedKinds: string[]): XmlStructure[] =>
      items.filter(({ kind }) => wantedKinds.includes(kind)).map(({ structure }) => structure())
    return {
      UserDetailList: ofKind('User'),
      GroupDetailList: ofKind('Group'),
      RoleDetailList: ofKind('Role'),
      Policies: ofKind('LocalManagedPolicy', 'AWSManagedPolicy'),
      ...more,
    }
  },
})

/** Of the built-in policies those that are attached to somebody. */
function details(state: State): Detail[] {
  const inUse = state.managedPolicies
    .all()
    .filter(({ builtIn, policyId }) => !builtIn || state.attachedPolicies.ownerIdsOf(policyId).length > 0)
  return [
    ...state.users.all().map((user) => detail('User', user.userId, () => userDetail(user, state))),
    ...state.groups.all().map((group) => detail('Group', group.groupId, () => groupDetail(group, state))),
    ...state.roles.all().map((role) => detail('Role', role.roleId, () => roleDetail(role, state))),
    ...inUse.map((policy) =>
      detail(policy.builtIn ? 'AWSManagedPolicy' : 'LocalManagedPolicy', policy.policyId, () =>
        policyDetail(policy, state),
      ),
    ),
  ]
}

function detail(kind: Detail['kind'], id: string, structure: () => XmlStructure): Detail {
  return { kind, id, structure }
}

function userDetail(user: User, state: State): XmlStructure {
  return {
    ...userStructure(user),
    UserPolicyList: inlinePolicies(user.userId, state),
    GroupList: state.groups.ofUser(user.userId).map(({ groupName }) => groupName),
    AttachedManagedPolicies: attachedPolicies(user.userId, state).map(attachedStructure),
    Tags: tagList(user.tags),
  }
}

function groupDetail(group: Group, state: State): XmlStructure {
  return {
    ...groupStructure(group),
    GroupPolicyList: inlinePolicies(group.groupId, state),
    AttachedManagedPolicies: attachedPolicies(group.groupId, state).map(attachedStructure),
  }
}

function roleDetail(role: Role, state: State): XmlStructure {
  return {
    ...trustStructure(role, state),
    InstanceProfileList: [],
    RolePolicyList: inlinePolicies(role.roleId, state),
    AttachedManagedPolicies: attachedPolicies(role.roleId, state).map(attachedStructure),
    Tags: tagList(role.tags),
    RoleLastUsed: roleLastUsed(role, state),
  }
}

function policyDetail(policy: ManagedPolicy, state: State): XmlStructure {
  return {
    ...policyStructure(policy, state),
    Description: policy.description,
    PolicyVersionList: [...policy.versions.values()].map((version) => wholeVersionStructure(version, policy)),
  }
}

function inlinePolicies(ownerId: string, state: State): XmlStructure[] {
  return [...state.inlinePolicies.of(ownerId)].map(([PolicyName, document]) => ({
    PolicyName,
    PolicyDocument: encodedDocument(document),
  }))
}
