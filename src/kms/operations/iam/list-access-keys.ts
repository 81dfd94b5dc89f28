import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, ownerUser } from './find-owner.ts'
import { pageMembers, userName } from './members.ts'
import { ownerPermission } from './owner-permission.ts'
import { page } from './pages.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html */
export const listAccessKeys = operation({
  name: 'ListAccessKeys',
  readOnly: true,
  input: z.object({ ...pageMembers, UserName: userName.optional() }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:ListAccessKeys', owner, call)],
  run(input, owner, { state }) {
    const user = ownerUser(owner)
    const { items, more } = page(state.accessKeys.ofUser(user?.userId), input, inOrder)
    return {
      AccessKeyMetadata: items.map((accessKey) => ({
        UserName: user?.userName,
        AccessKeyId: accessKey.accessKeyId,
        Status: accessKey.active ? 'Active' : 'Inactive',
        CreateDate: accessKey.createdAt,
      })),
      ...more,
    }
  },
})

/** Oldest first. */
function inOrder({ createdAt, accessKeyId }: { createdAt: Date; accessKeyId: string }): string {
  return `${createdAt.toISOString()} ${accessKeyId}`
}
