import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, keepLastRootAccessKey, ownedAccessKey, ownerUser } from './find-owner.ts'
import { accessKeyId, userName } from './members.ts'
import { ownerPermission } from './owner-permission.ts'

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
  permissions: (_input, owner, call) => [ownerPermission('iam:UpdateAccessKey', owner, call)],
  run(input, owner, { state }) {
    const accessKey = ownedAccessKey(input.AccessKeyId, ownerUser(owner), state)
    if (input.Status === 'Inactive') keepLastRootAccessKey(accessKey, state)
    state.accessKeys.setActive(input.AccessKeyId, input.Status === 'Active')
    return undefined
  },
})
