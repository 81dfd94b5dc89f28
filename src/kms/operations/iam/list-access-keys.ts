import { z } from 'zod'
import { operation } from '../operation.ts'
import { findOwner, requireOwner } from './find-owner.ts'
import { accessKeyId, userName } from './members.ts'

/** The marker is the last access key id of the page before. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html */
export const listAccessKeys = operation({
  name: 'ListAccessKeys',
  readOnly: true,
  input: z.object({
    Marker: accessKeyId.optional(),
    MaxItems: z.coerce.number().int().min(1).max(1000).default(100),
    UserName: userName.optional(),
  }),
  find: (input, call) => findOwner(input.UserName, call),
  permissions: (_input, owner) => [{ action: 'iam:ListAccessKeys', resource: owner.arn }],
  run(input, owner, { state }) {
    requireOwner(owner, input.UserName)
    const all = state.accessKeys.ofUser(owner.user?.userId)
    const start = all.findIndex((accessKey) => accessKey.accessKeyId === input.Marker) + 1
    const page = all.slice(start, start + input.MaxItems)
    const more = start + page.length < all.length
    return {
      AccessKeyMetadata: page.map((accessKey) => ({
        UserName: owner.user?.userName,
        AccessKeyId: accessKey.accessKeyId,
        Status: accessKey.active ? 'Active' : 'Inactive',
        CreateDate: accessKey.createdAt,
      })),
      IsTruncated: more,
      Marker: more ? page.at(-1)?.accessKeyId : undefined,
    }
  },
})
