import {
  CreateRoleCommand,
  CreateUserCommand,
  GetRoleCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListRolesCommand,
  ListUsersCommand,
  TagRoleCommand,
  TagUserCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { policyText } from '../policy.ts'
import type { Probe } from './probe.ts'
import type { Subject } from './subject.ts'

/**
 * What isn't tried, for there is no such request that does no harm where it is allowed. The same statement of the key policy denies it, and
 * no policy of IAM allows it.
 */
export const untried = [
  'kms:DisableKey',
  'kms:ScheduleKeyDeletion',
  'kms:CreateKey',
  'iam:CreateAccessKey',
  'iam:DeleteUser',
]

/**
 * Everything else that the server may not do, by requests that change nothing where they are allowed: what they would write is there
 * already.
 */
export function refusedRest(subject: Subject): Probe[] {
  return [...ofMasterKey(subject), ...ofKms(subject), ...ofIam(subject)].map((probe) => ({
    who: 'server',
    expected: 'refused',
    ...probe,
  }))
}

type Attempt = Pick<Probe, 'action' | 'how' | 'send' | 'allowedWhere'>

function ofMasterKey({ access: { kms }, plan, keyArn: KeyId }: Subject): Attempt[] {
  const { alias, description, tags, policy } = plan.masterKey
  const { arn: GranteePrincipal } = plan.identity
  return [
    {
      action: 'kms:CreateGrant',
      how: 'to itself',
      send: () =>
        kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'], DryRun: true })),
    },
    {
      action: 'kms:PutKeyPolicy',
      send: () =>
        kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: policyText(policy) })),
      // The lock-out check comes after the permission.
      allowedWhere: ['MalformedPolicyDocumentException'],
    },
    {
      action: 'kms:GetKeyPolicy',
      send: () => kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })),
    },
    { action: 'kms:ListGrants', send: () => kms.send(new ListGrantsCommand({ KeyId })) },
    {
      action: 'kms:EnableKey',
      send: () => kms.send(new EnableKeyCommand({ KeyId })),
    },
    {
      action: 'kms:CancelKeyDeletion',
      send: () => kms.send(new CancelKeyDeletionCommand({ KeyId })),
      allowedWhere: ['KMSInvalidStateException'],
    },
    {
      action: 'kms:TagResource',
      send: () =>
        kms.send(
          new TagResourceCommand({
            KeyId,
            Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
          }),
        ),
    },
    {
      action: 'kms:UpdateKeyDescription',
      send: () => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: description })),
    },
    {
      action: 'kms:UpdateAlias',
      send: () => kms.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: KeyId })),
    },
    {
      action: 'kms:CreateAlias',
      send: () => kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId })),
      allowedWhere: ['AlreadyExistsException'],
    },
  ]
}

function ofKms({ access: { kms } }: Subject): Attempt[] {
  return [
    { action: 'kms:ListKeys', send: () => kms.send(new ListKeysCommand({})) },
    { action: 'kms:ListAliases', send: () => kms.send(new ListAliasesCommand({})) },
  ]
}

function ofIam({ access: { iam }, plan: { identity } }: Subject): Attempt[] {
  const { name, path: Path, tags } = identity
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  const isThere = ['EntityAlreadyExistsException']
  if (identity.kind === 'user')
    return [
      { action: 'iam:ListUsers', send: () => iam.send(new ListUsersCommand({})) },
      {
        action: 'iam:GetUser',
        how: 'of itself',
        send: () => iam.send(new GetUserCommand({ UserName: name })),
      },
      {
        action: 'iam:ListAccessKeys',
        how: 'of itself',
        send: () => iam.send(new ListAccessKeysCommand({ UserName: name })),
      },
      {
        action: 'iam:CreateUser',
        send: () => iam.send(new CreateUserCommand({ UserName: name, Path })),
        allowedWhere: isThere,
      },
      {
        action: 'iam:UpdateUser',
        how: 'of itself',
        send: () => iam.send(new UpdateUserCommand({ UserName: name, NewPath: Path })),
      },
      {
        action: 'iam:TagUser',
        how: 'of itself',
        send: () => iam.send(new TagUserCommand({ UserName: name, Tags })),
      },
    ]
  const trust = policyText(identity.trustPolicy)
  return [
    { action: 'iam:ListRoles', send: () => iam.send(new ListRolesCommand({})) },
    { action: 'iam:GetRole', how: 'of itself', send: () => iam.send(new GetRoleCommand({ RoleName: name })) },
    {
      action: 'iam:CreateRole',
      send: () => iam.send(new CreateRoleCommand({ RoleName: name, Path, AssumeRolePolicyDocument: trust })),
      allowedWhere: isThere,
    },
    {
      action: 'iam:UpdateAssumeRolePolicy',
      how: 'of itself',
      send: () => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: trust })),
    },
    {
      action: 'iam:TagRole',
      how: 'of itself',
      send: () => iam.send(new TagRoleCommand({ RoleName: name, Tags })),
    },
  ]
}
