import { z } from 'zod'
import { userArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { pageMembers, pathPrefix } from './members.ts'
import { page } from './pages.ts'
import { userStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html */
export const listUsers = operation({
  name: 'ListUsers',
  readOnly: true,
  input: z.object({ ...pageMembers, PathPrefix: pathPrefix.default('/') }),
  find: () => undefined,
  permissions: ({ PathPrefix }, _found, { state }) => [
    { action: 'iam:ListUsers', resource: userArn(state.account.accountId, PathPrefix, '') },
  ],
  run(input, _found, { state }) {
    const users = state.users.all().filter(({ path }) => path.startsWith(input.PathPrefix))
    const { items, more } = page(users, input, ({ userName }) => userName.toLowerCase())
    return { Users: items.map(userStructure), ...more }
  },
})
