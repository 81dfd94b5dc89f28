import { z } from 'zod'
import { groupArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { groupName, path } from './members.ts'
import { quotas, requireRoom } from './quotas.ts'
import { groupStructure } from './structures.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html */
export const createGroup = operation({
  name: 'CreateGroup',
  readOnly: false,
  input: z.object({ GroupName: groupName, Path: path.default('/') }),
  find: (input, { state }) => groupArn(state.account.accountId, input.Path, input.GroupName),
  permissions: (_input, resource) => [{ action: 'iam:CreateGroup', resource }],
  run({ GroupName, Path }, _arn, { state }) {
    if (state.groups.named(GroupName) !== undefined) throw groupExists(GroupName)
    requireRoom('GroupsPerAccount', state.groups.count, quotas.groups)
    return { Group: groupStructure(state.groups.create(GroupName, Path)) }
  },
  recordedAnswer: ({ Group }) => ({
    group: { arn: Group['Arn'], groupId: Group['GroupId'], groupName: Group['GroupName'] },
  }),
})

export function groupExists(groupName: string): AwsException {
  return new AwsException('EntityAlreadyExists', `Group with name ${groupName} already exists.`)
}
