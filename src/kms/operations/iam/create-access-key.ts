import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { findOwner, ownerUser } from './find-owner.ts'
import { userName } from './members.ts'
import { ownerPermission } from './owner-permission.ts'
import { quotas } from './quotas.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html */
export const createAccessKey = operation({
  name: 'CreateAccessKey',
  readOnly: false,
  input: z.object({ UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:CreateAccessKey', owner, call)],
  run(_input, owner, { state }) {
    const user = ownerUser(owner)
    if (state.accessKeys.ofUser(user?.userId).length >= quotas.accessKeysPerUser) {
      throw new AwsException(
        'LimitExceededException',
        `Cannot exceed quota for AccessKeysPerUser: ${quotas.accessKeysPerUser}`,
      )
    }
    const accessKey = state.accessKeys.create(user?.userId)
    return {
      AccessKey: {
        UserName: user?.userName,
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
