import { z } from 'zod'
import { operation } from '../operation.ts'

/** Needs no permission, as at Amazon. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export const getCallerIdentity = operation({
  name: 'GetCallerIdentity',
  readOnly: true,
  input: z.object({}),
  find: () => undefined,
  permissions: () => [],
  run: (_input, _found, { caller }) => ({
    UserId: caller.principalId,
    Account: caller.accountId,
    Arn: caller.arn,
  }),
})
