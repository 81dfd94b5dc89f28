import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, keepLastRootAccessKey, ownedAccessKey, requireOwner } from './find-owner.ts'
import { accessKeyId, userName } from './members.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html */
export const deleteAccessKey = operation({
  name: 'DeleteAccessKey',
  readOnly: false,
  input: z.object({ AccessKeyId: accessKeyId, UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner) => [{ action: 'iam:DeleteAccessKey', resource: owner.arn }],
  run(input, owner, { state }) {
    requireOwner(owner, input.UserName)
    keepLastRootAccessKey(ownedAccessKey(input.AccessKeyId, owner, state), state)
    state.accessKeys.delete(input.AccessKeyId)
    return undefined
  },
})
