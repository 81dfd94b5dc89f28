import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, ownerArn, ownerUser } from './find-owner.ts'
import { userName } from './members.ts'
import { ownerPermission } from './owner-permission.ts'
import { userStructure } from './structures.ts'
import { tagsMember } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html */
export const getUser = operation({
  name: 'GetUser',
  readOnly: true,
  input: z.object({ UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:GetUser', owner, call)],
  run(_input, owner, call) {
    const user = ownerUser(owner)
    if (user !== undefined) return { User: { ...userStructure(user), ...tagsMember(user.tags) } }
    return { User: { UserId: call.state.account.accountId, Arn: ownerArn(owner, call) } }
  },
})
