import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, requireOwner } from './find-owner.ts'
import { userName } from './members.ts'
import { userStructure } from './user-structure.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html */
export const getUser = operation({
  name: 'GetUser',
  readOnly: true,
  input: z.object({ UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner) => [{ action: 'iam:GetUser', resource: owner.arn }],
  run(input, owner, { state }) {
    requireOwner(owner, input.UserName)
    if (owner.user !== undefined) return { User: userStructure(owner.user) }
    return { User: { UserId: state.account.accountId, Arn: owner.arn } }
  },
})
