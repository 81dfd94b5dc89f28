import { z } from 'zod'
import { userArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { notYet } from '../../protocol/validation.ts'
import { operation } from '../operation.ts'
import { newUserName, path } from './members.ts'
import { userStructure } from './user-structure.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html */
export const createUser = operation({
  name: 'CreateUser',
  readOnly: false,
  input: z.object({
    Path: path.default('/'),
    PermissionsBoundary: notYet('PermissionsBoundary'),
    Tags: notYet('Tags'),
    UserName: newUserName,
  }),
  find: (input, { state }) => userArn(state.account.accountId, input.Path, input.UserName),
  permissions: (_input, arn) => [{ action: 'iam:CreateUser', resource: arn }],
  run(input, _arn, { state }) {
    const user = state.users.create(input.UserName, input.Path)
    if (user === undefined) {
      throw new AwsException('EntityAlreadyExists', `User with name ${input.UserName} already exists.`)
    }
    return { User: userStructure(user) }
  },
  recordedAnswer: ({ User }) => ({
    user: { arn: User['Arn'], userId: User['UserId'], userName: User['UserName'], path: User['Path'] },
  }),
})
