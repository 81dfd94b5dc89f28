import {
  GetAccessKeyLastUsedCommand,
  GetRoleCommand,
  GetUserCommand,
  paginateListAccessKeys,
  paginateListAttachedRolePolicies,
  paginateListAttachedUserPolicies,
  paginateListGroupsForUser,
  paginateListRolePolicies,
  paginateListUserPolicies,
  type Tag,
} from '@aws-sdk/client-iam'
import type { AwsAccess } from '../aws/access.ts'
import { awsErrorName } from '../aws/errors.ts'
import type { FoundAccessKey, FoundIdentity } from './found.ts'
import type { Tags } from './plan.ts'
import type { WantedIdentity } from './wishes.ts'

/** The user or role as it is; undefined: there is none. Throws SR_AWS_…. */
export async function lookAtIdentity(
  { kind, name }: WantedIdentity,
  access: AwsAccess,
): Promise<FoundIdentity | undefined> {
  try {
    return await access.do(`look at the IAM ${kind} ${name}`, () =>
      kind === 'user' ? lookAtUser(name, access) : lookAtRole(name, access),
    )
  } catch (error) {
    if (awsErrorName(error) === 'NoSuchEntityException') return undefined
    throw error
  }
}

async function lookAtUser(UserName: string, { iam: client }: AwsAccess): Promise<FoundIdentity> {
  const { User } = await client.send(new GetUserCommand({ UserName }))
  const otherRights: string[] = []
  for await (const { Groups = [] } of paginateListGroupsForUser({ client }, { UserName }))
    otherRights.push(...Groups.map(({ GroupName = '' }) => `group ${GroupName}`))
  for await (const { AttachedPolicies = [] } of paginateListAttachedUserPolicies({ client }, { UserName }))
    otherRights.push(...AttachedPolicies.map(({ PolicyArn = '' }) => `policy ${PolicyArn}`))
  for await (const { PolicyNames = [] } of paginateListUserPolicies({ client }, { UserName }))
    otherRights.push(...PolicyNames.map((policy) => `inline policy ${policy}`))
  return {
    arn: User?.Arn ?? '',
    path: User?.Path ?? '',
    tags: tagsFrom(User?.Tags),
    accessKeys: await accessKeysOf(UserName, client),
    otherRights,
  }
}

async function accessKeysOf(UserName: string, client: AwsAccess['iam']): Promise<FoundAccessKey[]> {
  const found: FoundAccessKey[] = []
  for await (const { AccessKeyMetadata = [] } of paginateListAccessKeys({ client }, { UserName })) {
    for (const { AccessKeyId: id = '', Status, CreateDate } of AccessKeyMetadata) {
      const { AccessKeyLastUsed } = await client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }))
      found.push({
        id,
        isActive: Status === 'Active',
        createdAt: CreateDate,
        lastUsedAt: AccessKeyLastUsed?.LastUsedDate,
      })
    }
  }
  return found.sort((a, b) => (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0))
}

async function lookAtRole(RoleName: string, { iam: client }: AwsAccess): Promise<FoundIdentity> {
  const { Role } = await client.send(new GetRoleCommand({ RoleName }))
  const otherRights: string[] = []
  for await (const { AttachedPolicies = [] } of paginateListAttachedRolePolicies({ client }, { RoleName }))
    otherRights.push(...AttachedPolicies.map(({ PolicyArn = '' }) => `policy ${PolicyArn}`))
  for await (const { PolicyNames = [] } of paginateListRolePolicies({ client }, { RoleName }))
    otherRights.push(...PolicyNames.map((policy) => `inline policy ${policy}`))
  const trust = Role?.AssumeRolePolicyDocument
  return {
    arn: Role?.Arn ?? '',
    path: Role?.Path ?? '',
    tags: tagsFrom(Role?.Tags),
    // IAM sends policies as they would stand in a URL.
    trustPolicy: trust === undefined ? undefined : decodeURIComponent(trust),
    accessKeys: [],
    otherRights,
  }
}

function tagsFrom(tags: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))
}
