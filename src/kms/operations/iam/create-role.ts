import { z } from 'zod'
import { roleArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { checkedTrust } from './checked-trust.ts'
import { requestTags } from './condition-keys.ts'
import {
  maxSessionDuration,
  notOffered,
  path,
  policyDocument,
  roleDescription,
  roleName,
  tags,
} from './members.ts'
import { quotas, requireRoom } from './quotas.ts'
import { roleStructure } from './structures.ts'
import { newTags, tagsMember } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
export const createRole = operation({
  name: 'CreateRole',
  readOnly: false,
  input: z.object({
    AssumeRolePolicyDocument: policyDocument,
    Description: roleDescription.optional(),
    MaxSessionDuration: maxSessionDuration.default(3600),
    Path: path.default('/'),
    PermissionsBoundary: notOffered('PermissionsBoundary'),
    RoleName: roleName,
    Tags: tags.optional(),
  }),
  find: (input, { state }) => roleArn(state.account.accountId, input.Path, input.RoleName),
  permissions: ({ Tags = [] }, resource) => [
    { action: 'iam:CreateRole', resource, conditionKeys: requestTags(Tags) },
    ...(Tags.length === 0 ? [] : [{ action: 'iam:TagRole', resource, conditionKeys: requestTags(Tags) }]),
  ],
  run(input, _arn, { state }) {
    if (state.roles.named(input.RoleName) !== undefined) {
      throw new AwsException('EntityAlreadyExists', `Role with name ${input.RoleName} already exists.`)
    }
    requireRoom('RolesPerAccount', state.roles.count, quotas.roles)
    const role = state.roles.create(
      { roleName: input.RoleName, path: input.Path, tags: newTags(input.Tags) },
      {
        description: input.Description,
        maxSessionSeconds: input.MaxSessionDuration,
        trust: checkedTrust(input.AssumeRolePolicyDocument, state),
      },
    )
    return { Role: { ...roleStructure(role, state), ...tagsMember(role.tags) } }
  },
  recordedAnswer: ({ Role }) => ({
    role: { arn: Role['Arn'], roleId: Role['RoleId'], roleName: Role['RoleName'], path: Role['Path'] },
  }),
})
