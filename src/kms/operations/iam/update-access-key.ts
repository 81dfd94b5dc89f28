import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, keepLastRootAccessKey, ownedAccessKey, requireOwner } from './find-owner.ts'
import { accessKeyId, userName } from './members.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html */
export const updateAccessKey = operation({
  name: 'UpdateAccessKey',
  readOnly: false,
  input: z.object({
    AccessKeyId: accessKeyId,
    Status: z.enum(['Active', 'Inactive']),
    UserName: userName.optional(),
  }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner) => [{ action: 'iam:UpdateAccessKey', resource: owner.arn }],
  run(input, owner, { state }) {
    requireOwner(owner, input.UserName)
    const accessKey = ownedAccessKey(input.AccessKeyId, owner, state)
    if (input.Status === 'Inactive') keepLastRootAccessKey(accessKey, state)
    state.accessKeys.setActive(input.AccessKeyId, input.Status === 'Active')
    return undefined
  },
})
