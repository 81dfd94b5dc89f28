import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html */
export const getAccessKeyInfo = operation({
  name: 'GetAccessKeyInfo',
  readOnly: true,
  input: z.object({ AccessKeyId: z.string().min(16).max(128).regex(/^\w*$/) }),
  find: () => undefined,
  permissions: () => [{ action: 'sts:GetAccessKeyInfo' }],
  run({ AccessKeyId }, _found, { state }) {
    const known = state.accessKeys.get(AccessKeyId) ?? state.sessions.find(AccessKeyId)
    if (known === undefined) {
      throw new AwsException('ValidationException', `The access key ID ${AccessKeyId} is not known here.`)
    }
    return { Account: state.account.accountId }
  },
})
