import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { findOwner, requireOwner } from './find-owner.ts'
import { userName } from './members.ts'

const accessKeysPerUser = 2

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html */
export const createAccessKey = operation({
  name: 'CreateAccessKey',
  readOnly: false,
  input: z.object({ UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner) => [{ action: 'iam:CreateAccessKey', resource: owner.arn }],
  run(input, owner, { state }) {
    requireOwner(owner, input.UserName)
    if (state.accessKeys.ofUser(owner.user?.userId).length >= accessKeysPerUser) {
      throw new AwsException(
        'LimitExceededException',
        `Cannot exceed quota for AccessKeysPerUser: ${accessKeysPerUser}`,
      )
    }
    const accessKey = state.accessKeys.create(owner.user?.userId)
    return {
      AccessKey: {
        UserName: owner.user?.userName,
        AccessKeyId: accessKey.accessKeyId,
        Status: 'Active',
        SecretAccessKey: accessKey.secretAccessKey,
        CreateDate: accessKey.createdAt,
      },
    }
  },
  recordedAnswer: ({ AccessKey }) => ({
    accessKey: {
      userName: AccessKey.UserName,
      accessKeyId: AccessKey.AccessKeyId,
      status: AccessKey.Status,
    },
  }),
})
