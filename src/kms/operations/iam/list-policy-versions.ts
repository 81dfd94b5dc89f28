import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers, policyArn } from './members.ts'
import { page } from './pages.ts'
import { existing, seekPolicy } from './sought.ts'
import { versionStructure } from './structures.ts'

/** Newest first. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html */
export const listPolicyVersions = operation({
  name: 'ListPolicyVersions',
  readOnly: true,
  input: z.object({ ...pageMembers, PolicyArn: policyArn }),
  find: (input, call) => seekPolicy(input.PolicyArn, call),
  permissions: (_input, policy) => [entityPermission('iam:ListPolicyVersions', policy)],
  run(input, sought) {
    const policy = existing(sought)
    const { items, more } = page([...policy.versions.values()], input, ({ number }) => newestFirst(number))
    return { Versions: items.map((version) => versionStructure(version, policy)), ...more }
  },
})

function newestFirst(number: number): string {
  return String(Number.MAX_SAFE_INTEGER - number)
}
