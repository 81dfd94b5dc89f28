import { z } from 'zod'
import { operation } from '../operation.ts'
import { pageMembers } from './members.ts'
import { deviceStructure } from './mfa-device.ts'
import { page } from './pages.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html */
export const listVirtualMfaDevices = operation({
  name: 'ListVirtualMFADevices',
  readOnly: true,
  input: z.object({
    ...pageMembers,
    AssignmentStatus: z.enum(['Assigned', 'Unassigned', 'Any']).default('Any'),
  }),
  find: () => undefined,
  permissions: () => [{ action: 'iam:ListVirtualMFADevices' }],
  run(input, _found, { state }) {
    const wanted = state.mfaDevices
      .all()
      .filter(
        ({ owner }) =>
          input.AssignmentStatus === 'Any' ||
          (owner === undefined) === (input.AssignmentStatus === 'Unassigned'),
      )
    const { items, more } = page(wanted, input, ({ serialNumber }) => serialNumber)
    return { VirtualMFADevices: items.map((device) => deviceStructure(device, state)), ...more }
  },
})
