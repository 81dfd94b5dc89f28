import { z } from 'zod'
import { userArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { requestTags } from './condition-keys.ts'
import { newUserName, notOffered, path, tags } from './members.ts'
import { quotas, requireRoom } from './quotas.ts'
import { userStructure } from './structures.ts'
import { newTags, tagsMember } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html */
export const createUser = operation({
  name: 'CreateUser',
  readOnly: false,
  input: z.object({
    Path: path.default('/'),
    PermissionsBoundary: notOffered('PermissionsBoundary'),
    Tags: tags.optional(),
    UserName: newUserName,
  }),
  find: (input, { state }) => userArn(state.account.accountId, input.Path, input.UserName),
  permissions: ({ Tags = [] }, resource) => [
    { action: 'iam:CreateUser', resource, conditionKeys: requestTags(Tags) },
    ...(Tags.length === 0 ? [] : [{ action: 'iam:TagUser', resource, conditionKeys: requestTags(Tags) }]),
  ],
  run({ UserName: userName, Path, Tags }, _arn, { state }) {
    if (state.users.named(userName) !== undefined) throw userExists(userName)
    requireRoom('UsersPerAccount', state.users.count, quotas.users)
    const user = state.users.create({ userName, path: Path, tags: newTags(Tags) })
    return { User: { ...userStructure(user), ...tagsMember(user.tags) } }
  },
  recordedAnswer: ({ User }) => ({
    user: { arn: User['Arn'], userId: User['UserId'], userName: User['UserName'], path: User['Path'] },
  }),
})

export function userExists(userName: string): AwsException {
  return new AwsException('EntityAlreadyExists', `User with name ${userName} already exists.`)
}
