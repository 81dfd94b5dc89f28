import { z } from 'zod'
import { roleArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { pageMembers, pathPrefix } from './members.ts'
import { page } from './pages.ts'
import { roleStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
export const listRoles = operation({
  name: 'ListRoles',
  readOnly: true,
  input: z.object({ ...pageMembers, PathPrefix: pathPrefix.default('/') }),
  find: () => undefined,
  permissions: ({ PathPrefix }, _found, { state }) => [
    { action: 'iam:ListRoles', resource: roleArn(state.account.accountId, PathPrefix, '') },
  ],
  run(input, _found, { state }) {
    const roles = state.roles.all().filter(({ path }) => path.startsWith(input.PathPrefix))
    const { items, more } = page(roles, input, ({ roleName }) => roleName.toLowerCase())
    return { Roles: items.map((role) => roleStructure(role, state)), ...more }
  },
})
