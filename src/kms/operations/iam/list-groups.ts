import { z } from 'zod'
import { groupArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { pageMembers, pathPrefix } from './members.ts'
import { page } from './pages.ts'
import { groupStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html */
export const listGroups = operation({
  name: 'ListGroups',
  readOnly: true,
  input: z.object({ ...pageMembers, PathPrefix: pathPrefix.default('/') }),
  find: () => undefined,
  permissions: ({ PathPrefix }, _found, { state }) => [
    { action: 'iam:ListGroups', resource: groupArn(state.account.accountId, PathPrefix, '') },
  ],
  run(input, _found, { state }) {
    const groups = state.groups.all().filter(({ path }) => path.startsWith(input.PathPrefix))
    const { items, more } = page(groups, input, ({ groupName }) => groupName.toLowerCase())
    return { Groups: items.map(groupStructure), ...more }
  },
})
