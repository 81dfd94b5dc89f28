import type { Role } from '../../state/roles.ts'
import type { Permission } from '../authorize.ts'
import type { Call } from '../call.ts'
import { type ConditionKeys, requestTags, resourceTags } from '../iam/condition-keys.ts'
import type { TagMembers } from '../iam/tags.ts'
import type { SessionTags } from './session-tags.ts'

interface AssumeRoleMembers {
  readonly ExternalId?: string | undefined
  readonly RoleSessionName: string
  readonly Tags?: TagMembers | undefined
  readonly TransitiveTagKeys?: readonly string[] | undefined
}

interface FoundRole {
  readonly arn: string
  readonly role: Role | undefined
  readonly tags: SessionTags
  readonly sourceIdentity: string | undefined
  readonly mfaProved: boolean
}

/**
 * To assume the role, and where the session has them, to give it tags and a source identity, inherited ones too. The
 * role's trust policy decides as a key policy does: by naming the caller, or by leaving it to the account.
 */
export function assumeRolePermissions(
  input: AssumeRoleMembers,
  found: FoundRole,
  { caller }: Call,
): readonly Permission[] {
  const { arn: resource, role, tags, sourceIdentity } = found
  const conditionKeys = assumeRoleKeys(input, found)
  const toDo = (action: string): Permission => ({
    action,
    resource,
    conditionKeys,
    trustOf: role ?? 'nobody',
  })
  const permissions = [toDo('sts:AssumeRole')]
  if (tags.all.size > 0) permissions.push(toDo('sts:TagSession'))
  if (sourceIdentity !== undefined) {
    permissions.push(toDo('sts:SetSourceIdentity'))
    // In a chain the role that calls needs it by its own policies too.
    if (caller.type === 'AssumedRole') {
      permissions.push({ action: 'sts:SetSourceIdentity', resource, conditionKeys })
    }
  }
  return permissions
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts */
function assumeRoleKeys(
  input: AssumeRoleMembers,
  { role, sourceIdentity, mfaProved }: FoundRole,
): ConditionKeys {
  const { ExternalId, RoleSessionName, Tags, TransitiveTagKeys = [] } = input
  const keys = new Map<string, readonly string[]>([
    ...resourceTags(role?.tags),
    ...requestTags(Tags),
    ['sts:rolesessionname', [RoleSessionName]],
  ])
  if (ExternalId !== undefined) keys.set('sts:externalid', [ExternalId])
  if (sourceIdentity !== undefined) keys.set('sts:sourceidentity', [sourceIdentity])
  if (TransitiveTagKeys.length > 0) keys.set('sts:transitivetagkeys', TransitiveTagKeys)
  if (mfaProved) {
    keys.set('aws:multifactorauthpresent', ['true'])
    keys.set('aws:multifactorauthage', ['0'])
  }
  return keys
}
