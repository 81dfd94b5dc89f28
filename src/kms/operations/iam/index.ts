import type { XmlStructure } from '../../protocol/xml.ts'
import type { Operation } from '../operation.ts'
import { addUserToGroup } from './add-user-to-group.ts'
import { attachGroupPolicy, attachRolePolicy, attachUserPolicy } from './attach-policy.ts'
import {
  addClientIdToOpenIdConnectProvider,
  removeClientIdFromOpenIdConnectProvider,
  updateOpenIdConnectProviderThumbprint,
} from './change-open-id-connect-provider.ts'
import { createAccessKey } from './create-access-key.ts'
import { createGroup } from './create-group.ts'
import { createOpenIdConnectProvider } from './create-open-id-connect-provider.ts'
import { createPolicyVersion } from './create-policy-version.ts'
import { createPolicy } from './create-policy.ts'
import { createRole } from './create-role.ts'
import { createUser } from './create-user.ts'
import { createVirtualMfaDevice } from './create-virtual-mfa-device.ts'
import { deactivateMfaDevice } from './deactivate-mfa-device.ts'
import { deleteAccessKey } from './delete-access-key.ts'
import { deleteGroup } from './delete-group.ts'
import { deleteGroupPolicy, deleteRolePolicy, deleteUserPolicy } from './delete-inline-policy.ts'
import { deleteOpenIdConnectProvider } from './delete-open-id-connect-provider.ts'
import { deletePolicyVersion } from './delete-policy-version.ts'
import { deletePolicy } from './delete-policy.ts'
import { deleteRole } from './delete-role.ts'
import { deleteUser } from './delete-user.ts'
import { deleteVirtualMfaDevice } from './delete-virtual-mfa-device.ts'
import { detachGroupPolicy, detachRolePolicy, detachUserPolicy } from './detach-policy.ts'
import { enableMfaDevice } from './enable-mfa-device.ts'
import { getAccessKeyLastUsed } from './get-access-key-last-used.ts'
import { getAccountAuthorizationDetails } from './get-account-authorization-details.ts'
import { getAccountSummary } from './get-account-summary.ts'
import { getGroup } from './get-group.ts'
import { getGroupPolicy, getRolePolicy, getUserPolicy } from './get-inline-policy.ts'
import { getOpenIdConnectProvider } from './get-open-id-connect-provider.ts'
import { getPolicyVersion } from './get-policy-version.ts'
import { getPolicy } from './get-policy.ts'
import { getRole } from './get-role.ts'
import { getUser } from './get-user.ts'
import { listAccessKeys } from './list-access-keys.ts'
import {
  listAttachedGroupPolicies,
  listAttachedRolePolicies,
  listAttachedUserPolicies,
} from './list-attached-policies.ts'
import { listEntitiesForPolicy } from './list-entities-for-policy.ts'
import {
  listOpenIdConnectProviderTags,
  listPolicyTags,
  listRoleTags,
  listUserTags,
} from './list-entity-tags.ts'
import { listGroupsForUser } from './list-groups-for-user.ts'
import { listGroups } from './list-groups.ts'
import { listGroupPolicies, listRolePolicies, listUserPolicies } from './list-inline-policies.ts'
import { listMfaDeviceTags } from './list-mfa-device-tags.ts'
import { listMfaDevices } from './list-mfa-devices.ts'
import { listOpenIdConnectProviders } from './list-open-id-connect-providers.ts'
import { listPolicies } from './list-policies.ts'
import { listPolicyVersions } from './list-policy-versions.ts'
import { listRoles } from './list-roles.ts'
import { listUsers } from './list-users.ts'
import { listVirtualMfaDevices } from './list-virtual-mfa-devices.ts'
import { putGroupPolicy, putRolePolicy, putUserPolicy } from './put-inline-policy.ts'
import { removeUserFromGroup } from './remove-user-from-group.ts'
import { resyncMfaDevice } from './resync-mfa-device.ts'
import { setDefaultPolicyVersion } from './set-default-policy-version.ts'
import { tagOpenIdConnectProvider, tagPolicy, tagRole, tagUser } from './tag-entity.ts'
import { tagMfaDevice } from './tag-mfa-device.ts'
import { untagOpenIdConnectProvider, untagPolicy, untagRole, untagUser } from './untag-entity.ts'
import { untagMfaDevice } from './untag-mfa-device.ts'
import { updateAccessKey } from './update-access-key.ts'
import { updateAssumeRolePolicy } from './update-assume-role-policy.ts'
import { updateGroup } from './update-group.ts'
import { updateRoleDescription } from './update-role-description.ts'
import { updateRole } from './update-role.ts'
import { updateUser } from './update-user.ts'

/** The operations of IAM that this service answers. */
export const iamOperations: readonly Operation<XmlStructure | undefined>[] = [
  // users
  createUser,
  deleteUser,
  getUser,
  listUsers,
  listUserTags,
  tagUser,
  untagUser,
  updateUser,
  // access keys
  createAccessKey,
  deleteAccessKey,
  getAccessKeyLastUsed,
  listAccessKeys,
  updateAccessKey,
  // groups
  addUserToGroup,
  createGroup,
  deleteGroup,
  getGroup,
  listGroups,
  listGroupsForUser,
  removeUserFromGroup,
  updateGroup,
  // roles
  createRole,
  deleteRole,
  getRole,
  listRoles,
  listRoleTags,
  tagRole,
  untagRole,
  updateAssumeRolePolicy,
  updateRole,
  updateRoleDescription,
  // inline policies
  deleteGroupPolicy,
  deleteRolePolicy,
  deleteUserPolicy,
  getGroupPolicy,
  getRolePolicy,
  getUserPolicy,
  listGroupPolicies,
  listRolePolicies,
  listUserPolicies,
  putGroupPolicy,
  putRolePolicy,
  putUserPolicy,
  // managed policies
  attachGroupPolicy,
  attachRolePolicy,
  attachUserPolicy,
  createPolicy,
  createPolicyVersion,
  deletePolicy,
  deletePolicyVersion,
  detachGroupPolicy,
  detachRolePolicy,
  detachUserPolicy,
  getPolicy,
  getPolicyVersion,
  listAttachedGroupPolicies,
  listAttachedRolePolicies,
  listAttachedUserPolicies,
  listEntitiesForPolicy,
  listPolicies,
  listPolicyTags,
  listPolicyVersions,
  setDefaultPolicyVersion,
  tagPolicy,
  untagPolicy,
  // MFA devices
  createVirtualMfaDevice,
  deactivateMfaDevice,
  deleteVirtualMfaDevice,
  enableMfaDevice,
  listMfaDeviceTags,
  listMfaDevices,
  listVirtualMfaDevices,
  resyncMfaDevice,
  tagMfaDevice,
  untagMfaDevice,
  // OpenID Connect providers
  addClientIdToOpenIdConnectProvider,
  createOpenIdConnectProvider,
  deleteOpenIdConnectProvider,
  getOpenIdConnectProvider,
  listOpenIdConnectProviders,
  listOpenIdConnectProviderTags,
  removeClientIdFromOpenIdConnectProvider,
  tagOpenIdConnectProvider,
  untagOpenIdConnectProvider,
  updateOpenIdConnectProviderThumbprint,
  // the account
  getAccountAuthorizationDetails,
  getAccountSummary,
]
