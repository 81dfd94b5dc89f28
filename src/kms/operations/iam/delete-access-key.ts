import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, keepLastRootAccessKey, ownedAccessKey, ownerUser } from './find-owner.ts'
import { accessKeyId, userName } from './members.ts'
import { ownerPermission } from './owner-permission.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html */
export const deleteAccessKey = operation({
  name: 'DeleteAccessKey',
  readOnly: false,
  input: z.object({ AccessKeyId: accessKeyId, UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:DeleteAccessKey', owner, call)],
  run(input, owner, { state }) {
    keepLastRootAccessKey(ownedAccessKey(input.AccessKeyId, ownerUser(owner), state), state)
    state.accessKeys.delete(input.AccessKeyId)
    return undefined
  },
})
