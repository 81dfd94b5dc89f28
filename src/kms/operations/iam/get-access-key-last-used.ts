import { z } from 'zod'
import { rootUserArn } from '../../arn.ts'
import type { AccessKey } from '../../state/access-keys.ts'
import type { Permission } from '../authorize.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { resourceTags } from './condition-keys.ts'
import { noSuchAccessKey } from './find-owner.ts'
import { accessKeyId } from './members.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html */
export const getAccessKeyLastUsed = operation({
  name: 'GetAccessKeyLastUsed',
  readOnly: true,
  input: z.object({ AccessKeyId: accessKeyId }),
  find: (input, { state }) => state.accessKeys.get(input.AccessKeyId),
  permissions: (_input, accessKey, { state }) => [permission(accessKey, state)],
  run(input, accessKey, { state }) {
    if (accessKey === undefined) throw noSuchAccessKey(input.AccessKeyId)
    const use = state.accessKeyUsage.lastOf(accessKey.accessKeyId)
    return {
      UserName: userOf(accessKey, state)?.userName,
      AccessKeyLastUsed: {
        LastUsedDate: use?.at,
        ServiceName: use?.service ?? 'N/A',
        Region: use?.region ?? 'N/A',
      },
    }
  },
})

/** It is about the access key's user; `*` when there is no such access key. */
function permission(accessKey: AccessKey | undefined, state: State): Permission {
  const action = 'iam:GetAccessKeyLastUsed'
  if (accessKey === undefined) return { action }
  const user = userOf(accessKey, state)
  return {
    action,
    resource: user?.arn ?? rootUserArn(state.account.accountId),
    conditionKeys: resourceTags(user?.tags),
  }
}

function userOf({ userId }: AccessKey, { users }: State) {
  return userId === undefined ? undefined : users.withId(userId)
}
