import { shownPolicy } from '../../policy/bound-principals.ts'
import type { XmlStructure } from '../../protocol/xml.ts'
import type { Group } from '../../state/groups.ts'
import type { ManagedPolicy, PolicyVersion } from '../../state/managed-policy.ts'
import type { Role } from '../../state/roles.ts'
import type { User } from '../../state/users.ts'
import type { State } from '../call.ts'
import { tagsMember } from './tags.ts'

/*
 * How answers show users, groups, roles and policies. Lists leave out the tags and some more, as Amazon's do.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html
 */

export function userStructure(user: User): XmlStructure {
  return {
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: user.createdAt,
  }
}

export function groupStructure(group: Group): XmlStructure {
  return {
    Path: group.path,
    GroupName: group.groupName,
    GroupId: group.groupId,
    Arn: group.arn,
    CreateDate: group.createdAt,
  }
}

/** As lists show it. */
export function roleStructure(role: Role, state: State): XmlStructure {
  return {
    ...trustStructure(role, state),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
  }
}

/** Who may assume which role. */
export function trustStructure(role: Role, { principals }: State): XmlStructure {
  const { document, principalIds } = role.trust
  return {
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodedDocument(shownPolicy(document, principalIds, principals)),
  }
}

export function wholeRoleStructure(role: Role, state: State): XmlStructure {
  return { ...roleStructure(role, state), ...tagsMember(role.tags), RoleLastUsed: roleLastUsed(role, state) }
}

export function roleLastUsed({ roleId }: Role, { roleUsage }: State): XmlStructure {
  const use = roleUsage.lastOf(roleId)
  return use === undefined ? {} : { LastUsedDate: use.at, Region: use.region }
}

/** As lists show it. */
export function policyStructure(policy: ManagedPolicy, state: State): XmlStructure {
  return {
    PolicyName: policy.policyName,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: versionIdOf(policy.defaultVersion),
    AttachmentCount: state.attachedPolicies.ownerIdsOf(policy.policyId).length,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
  }
}

export function wholePolicyStructure(policy: ManagedPolicy, state: State): XmlStructure {
  return {
    ...policyStructure(policy, state),
    Description: policy.description,
    ...tagsMember(policy.tags),
  }
}

/** As lists show it. */
export function versionStructure(version: PolicyVersion, policy: ManagedPolicy): XmlStructure {
  return {
    VersionId: versionIdOf(version),
    IsDefaultVersion: version.number === policy.defaultVersion.number,
    CreateDate: version.createdAt,
  }
}

export function wholeVersionStructure(version: PolicyVersion, policy: ManagedPolicy): XmlStructure {
  return { Document: encodedDocument(version.document), ...versionStructure(version, policy) }
}

export function versionIdOf(version: PolicyVersion): string {
  return `v${version.number}`
}

/** Answers have policies percent-encoded, as RFC 3986 says: `encodeURIComponent` leaves some marks as they are. */
export function encodedDocument(document: string): string {
  return encodeURIComponent(document).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
